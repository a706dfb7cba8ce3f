// How requests ended, and what that says of statements.

#include "proxy/request_rewriter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "proxy/error_response.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::Backend;
using pooler::PreparedStatements;
using Outcome = wire::ReplyTracker::Outcome;

bool IsError(std::string_view body, std::string_view sqlstate) {
  const auto error = wire::ReadErrorFields(wire::AsBytes(body));
  return error.ok() && error->sqlstate == sqlstate;
}

// An error's body with the position that it tells, if it does, in the client's text.
std::string InClientsText(std::string_view body, const std::vector<TextShift>& shifts) {
  constexpr char kPosition = 'P';
  std::string out;
  wire::ByteReader reader(wire::AsBytes(body));
  for (auto code = reader.Byte(); code.has_value() && *code != '\0'; code = reader.Byte()) {
    const std::string_view value = reader.Text().value_or("");
    int position = 0;
    const bool number = *code == kPosition && absl::SimpleAtoi(ToAbsl(value), &position);
    out += *code;
    out += number ? std::to_string(ClientsPosition(position, shifts)) : std::string(value);
    out += '\0';
  }
  return out += '\0';
}

}  // namespace

void RequestRewriter::Settle(const wire::ReplyTracker::Settled& settled, Backend& backend,
                             bool stale_plan) {
  const size_t index = settled.token - first_token_;
  if (index >= actions_.size()) return;
  Action& action = actions_[index];
  const Kind kind = std::exchange(action.kind, Kind::kOver);
  if (Names(kind)) --naming_;
  naming_earlier_ = std::min(naming_earlier_, naming_);
  const bool done = settled.outcome == Outcome::kDone;
  const bool skipped = settled.outcome == Outcome::kSkipped;
  switch (kind) {
    case Kind::kOver:
    case Kind::kTaken:
    case Kind::kRenamed:
    case Kind::kUseUnnamed:
      return;
    case Kind::kCloseAll:
      if (!done) state_.GiveBack(std::move(action.names));
      return;
    case Kind::kNoUnnamed:
      if (backend.unnamed != Backend::kNoStatement || unnamed_batch_ == 0) return;
      if (!done) backend.unnamed = Backend::kUnknownStatement;
      unnamed_batch_ = 0;
      return;
    case Kind::kCloseUnnamed:
      return state_.UnnamedClosed(action.id, done);
    case Kind::kUse:
      if (stale_plan && settled.outcome == Outcome::kFailed) backend.prepared.Doubt(action.id);
      return;
    case Kind::kParse:
      if (action.id != 0) backend.prepared.Answered(action.id, done);
      // One that did not succeed leaves no name behind.
      if (!done && action.statement != nullptr) {
        const StatementRef* now = state_.Find(action.name);
        if (now != nullptr && *now == action.statement) state_.Remove(action.name);
      }
      return;
    case Kind::kShadow:
      return backend.prepared.Answered(action.id, done);
    case Kind::kRefused:
      if (action.id != 0) state_.Replaced(action.id, false, skipped);
      return;
    case Kind::kEvict:
      return backend.prepared.Closed(action.id, done);
    case Kind::kUnnamed:
      state_.Replaced(action.id, done, skipped);
      if (backend.unnamed != action.id) return;
      if (!done) backend.unnamed = Backend::kUnknownStatement;
      unnamed_batch_ = 0;
      return;
    case Kind::kCloseName:
      if (!done && state_.Find(action.name) == nullptr) {
        state_.Add(action.name, std::move(action.statement));
      }
      return;
  }
}

void RequestRewriter::Forget() {
  actions_.clear();
  stand_ins_.clear();
  shadow_error_.clear();
  first_token_ = kFirstToken;
  unnamed_batch_ = 0;
  unnamed_is_part_ = false;
  reading_changes_ = false;
  naming_ = naming_earlier_ = 0;
}

void RequestRewriter::Abandon(Backend& backend) {
  for (size_t i = 0; i < actions_.size(); ++i) {
    Settle({first_token_ + static_cast<uint32_t>(i), Outcome::kSkipped}, backend, false);
  }
  Forget();
}

bool RequestRewriter::uses_prepared() const {
  return std::any_of(actions_.begin(), actions_.end(),
                     [](const Action& action) { return action.kind == Kind::kUse; });
}

const RequestRewriter::Action* RequestRewriter::Asked(uint32_t token) const {
  const size_t index = token - first_token_;
  return index < actions_.size() ? &actions_[index] : nullptr;
}

std::string RequestRewriter::ErrorInstead(std::string_view body, uint32_t token) const {
  std::string out;
  const Action* asked = Asked(token);
  if (asked != nullptr && asked->kind == Kind::kRefused && IsError(body, sqlstate::kSyntaxError)) {
    AppendError(out, Severity::kError, asked->refusal);
    return out;
  }
  if (asked != nullptr && asked->kind == Kind::kRenamed && LacksWhatFailed(body)) {
    wire::AppendErrorBody(out, shadow_error_);
    return out;
  }
  const std::string renamed = InClientsNames(body, asked);
  if (!renamed.empty()) wire::AppendErrorBody(out, renamed);
  return out;
}

void RequestRewriter::NoteOwnError(std::string_view body, uint32_t token) {
  const Action* asked = Asked(token);
  if (asked == nullptr || asked->kind != Kind::kShadow) return;
  shadow_error_ = body;
  shadow_error_of_ = asked->id;
}

bool RequestRewriter::LacksWhatFailed(std::string_view body) const {
  if (shadow_error_.empty() || !IsError(body, sqlstate::kInvalidSqlStatementName)) return false;
  const std::string name = PreparedStatements::NameOf(shadow_error_of_);
  const size_t at = body.find(name);
  if (at == std::string_view::npos) return false;
  const std::string_view behind = body.substr(at + name.size());
  return behind.empty() || !absl::ascii_isdigit(behind.front());
}

std::string RequestRewriter::InClientsNames(std::string_view body, const Action* asked) const {
  std::string moved;
  if (asked != nullptr && asked->numbered != nullptr) {
    moved = InClientsText(body, asked->numbered->shifts);
  } else if (asked != nullptr && !asked->shifts.empty()) {
    moved = InClientsText(body, asked->shifts);
  }
  if (!moved.empty()) body = moved;
  std::string out;
  size_t at;
  while ((at = body.find(PreparedStatements::kPrefix)) != std::string_view::npos) {
    const size_t digits = at + PreparedStatements::kPrefix.size();
    size_t end = digits;
    uint64_t id = 0;
    while (end < body.size() && body[end] >= '0' && body[end] <= '9')
      id = id * 10 + (body[end++] - '0');
    std::string_view name;
    if (end > digits) name = state_.NameOf(id, asked == nullptr ? 0 : asked->name_hash);
    // A request of the protocol's says itself which name it used.
    const bool by_protocol = asked != nullptr && asked->kind == Kind::kUse && !name.empty();
    for (const auto& [stand_in, clients] : stand_ins_) {
      if (stand_in != id) continue;
      if (!by_protocol || SessionState::HashOf(clients) == asked->name_hash) name = clients;
    }
    if (asked != nullptr && asked->kind == Kind::kTaken && asked->id == id) name = asked->name;
    out.append(body.substr(0, at)).append(name.empty() ? body.substr(at, end - at) : name);
    body.remove_prefix(end);
  }
  return out.empty() ? moved : out.append(body);
}

}  // namespace pgweir::proxy
