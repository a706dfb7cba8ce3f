// What the backend must have before a request: the statements that it names.

#include "proxy/request_rewriter.h"

#include <utility>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::Backend;
using pooler::PreparedStatements;
using wire::Request;
using Answers = wire::ReplyTracker::Answers;

constexpr char kStatement = 'S';
// Statements that make room for a new one, at most.
constexpr int kEvictedAtOnce = 4;
constexpr std::string_view kNoTypes("\0\0", 2);

// The command that makes such a statement under our name.
std::string SqlPrepare(const Statement& statement) {
  std::string sql = statement.text;
  return sql.insert(statement.name_at, statement.server_name);
}

}  // namespace

// A name that is no statement of ours, for the server to say that it knows none of that name.
std::string RequestRewriter::Foreign(std::string_view name) {
  return std::string(absl::StartsWith(ToAbsl(name), ToAbsl(PreparedStatements::kPrefix))
                         ? PreparedStatements::kPrefix
                         : "")
      .append(name);
}

std::string RequestRewriter::ServerName(const Statement& statement, std::string_view name) {
  return statement.stays() ? Foreign(name) : statement.server_name;
}

// The statement that a client's name stands for, as the backend has it or can prepare it now. With
// other settings than when the client prepared it, it would mean something else to those that share
// it; then it is another one.
StatementRef RequestRewriter::ForThisBackend(std::string_view name, const StatementRef& named) {
  if (named->stays()) return named;
  const bool current = IsNumberedAsNow(*named);
  if (current && backend_->prepared.IsThere(named->id, batch_)) return named;
  std::string key = AnalysisKey();
  if (current && StatementStore::HashOf(key) == named->analysis) return named;
  StatementRef other =
      store_.Intern(named->text, named->types, key, named->facts, named->name_at,
                    current ? named->numbered : Numbered(named->facts, named->text, named->types));
  stand_ins_.emplace_back(other->id, name);
  return other;
}

const std::string* RequestRewriter::PartOf(std::string_view text) const {
  return !part_.here.empty() && text == part_.whole ? &part_.here : nullptr;
}

StatementRef RequestRewriter::PartOf(std::string_view name, StatementRef statement) {
  const std::string* const text = statement->stays() ? nullptr : PartOf(statement->text);
  if (text == nullptr) return statement;
  StatementRef part = store_.Intern(*text, statement->types, AnalysisKey(), Understand(*text));
  stand_ins_.emplace_back(part->id, name);
  return part;
}

void RequestRewriter::KeepHere(std::string_view name, const char* reason) {
  static const auto* const here = new StatementRef([] {
    auto statement = std::make_shared<Statement>();
    statement->facts = std::make_shared<router::Facts>();
    return statement;
  }());
  state_.Add(name, *here);
  state_.PinForGood(reason);
}

void RequestRewriter::KeepPrepared(const PreparedName& use, std::string_view text,
                                   const router::FactsRef& facts) {
  KeepHere(use.name, "PREPARE among other statements");
  if (facts->statements.size() != 1) return;
  auto statement = std::make_shared<Statement>();
  statement->text = text;
  statement->text.erase(use.span.offset, use.span.length);
  statement->name_at = use.span.offset;
  statement->facts = facts;
  state_.Add(use.name, std::move(statement));
}

void RequestRewriter::Ensure(const Statement& statement, size_t at) {
  if (statement.stays()) return;
  const auto presence = backend_->prepared.Use(statement.id, batch_);
  if (presence == PreparedStatements::Presence::kThere) return;
  const std::string& name = statement.server_name;
  if (presence == PreparedStatements::Presence::kUnsure) {
    CloseSwallowed(name, at, 0);
  } else {
    MakeRoom(at);
  }
  std::string& out = flight_->InsertBefore(at);
  backend_->prepared.Sent(statement.id, batch_);
  if (statement.name_at == std::string::npos) {
    wire::AppendParse(out, name, statement.on_servers(), statement.types);
    return Ask(Request::kParse, Answers::kSwallowUnlessError,
               Token({.kind = Kind::kShadow, .id = statement.id, .numbered = statement.numbered}));
  }
  wire::AppendParse(out, "", SqlPrepare(statement), kNoTypes);
  wire::AppendBind(out, "", "");
  wire::AppendExecute(out, "");
  SetUnnamed(Backend::kUnknownStatement);
  Ask(Request::kParse, Answers::kSwallowUnlessError);
  Ask(Request::kBind, Answers::kSwallowUnlessError);
  Ask(Request::kExecute, Answers::kSwallowUnlessError, Token({Kind::kShadow, statement.id}));
}

// Whatever goes wrong is seen by the Query, which then finds no statement.
void RequestRewriter::EnsureForQuery(const Statement& statement, size_t at) {
  if (statement.stays()) return;
  const auto presence = backend_->prepared.Use(statement.id, batch_);
  if (presence == PreparedStatements::Presence::kThere) return;
  const std::string& name = statement.server_name;
  if (presence == PreparedStatements::Presence::kUnsure) {
    CloseSwallowed(name, at, 0);
  } else {
    MakeRoom(at);
  }
  std::string& out = flight_->InsertBefore(at);
  backend_->prepared.Sent(statement.id, batch_);
  const uint32_t token = Token({Kind::kShadow, statement.id});
  if (statement.name_at != std::string::npos) {
    wire::AppendQuery(out, SqlPrepare(statement));
    return Ask(Request::kQuery, Answers::kSwallow, token);
  }
  wire::AppendParse(out, name, statement.on_servers(), statement.types);
  wire::AppendSync(out);
  Ask(Request::kParse, Answers::kSwallow, token);
  Ask(Request::kSync, Answers::kSwallow);
}

void RequestRewriter::EnsureUnnamed(size_t at) {
  const SessionState::Unnamed& unnamed = state_.unnamed();
  const std::string* const part =
      unnamed.number != 0 && unnamed.held ? PartOf(unnamed.text) : nullptr;
  const bool known = unnamed_batch_ == 0 || unnamed_batch_ == batch_;
  const bool same = backend_->unnamed == unnamed.number;  // kNoStatement and 0 are the same
  if (known && same && unnamed_is_part_ == (part != nullptr)) return;
  if (unnamed.number == 0 || !unnamed.held) {
    // Another client's must not be met: there is to be none.
    CloseSwallowed("", at, Token({Kind::kNoUnnamed, 0}));
    return SetUnnamed(Backend::kNoStatement);
  }
  const std::string& text = unnamed.numbered ? unnamed.numbered->text : unnamed.text;
  wire::AppendParse(flight_->InsertBefore(at), "", part != nullptr ? *part : text, unnamed.types);
  SetUnnamed(unnamed.number);
  unnamed_is_part_ = part != nullptr;
  Ask(Request::kParse, Answers::kSwallowUnlessError,
      Token({.kind = Kind::kUnnamed, .id = unnamed.number, .numbered = unnamed.numbered}));
}

void RequestRewriter::ForgetSequences(const router::Facts& facts, size_t at) {
  if ((facts.effects & router::kSequenceState) == 0 || !fresh_) return;
  if (backend_->tracker.batch_open()) return;
  wire::AppendQuery(flight_->InsertBefore(at), "DISCARD SEQUENCES");
  SetUnnamed(Backend::kUnknownStatement);
  Ask(Request::kQuery, Answers::kSwallow);
}

void RequestRewriter::MakeRoom(size_t at) {
  // Those whose Close is under way still count: one goes for each that comes, and a few more where
  // a long batch has brought too many.
  for (int i = 0; i < kEvictedAtOnce && backend_->prepared.size() >= max_prepared_; ++i) {
    const uint64_t oldest = backend_->prepared.Oldest();
    if (oldest == 0 || (i > 0 && backend_->prepared.size() < max_prepared_ + kEvictedAtOnce))
      return;
    CloseSwallowed(PreparedStatements::NameOf(oldest), at, Token({Kind::kEvict, oldest}));
    backend_->prepared.Closing(oldest);
  }
}

void RequestRewriter::CloseSwallowed(std::string_view name, size_t at, uint32_t token) {
  wire::AppendClose(flight_->InsertBefore(at), kStatement, name);
  Ask(Request::kClose, Answers::kSwallow, token);
}

}  // namespace pgweir::proxy
