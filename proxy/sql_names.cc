// Prepared statements by SQL: PREPARE, EXECUTE and DEALLOCATE share their names with the
// protocol's.

#include <fmt/format.h>

#include <utility>

#include "proxy/edited_text.h"
#include "proxy/request_rewriter.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::PreparedStatements;
using wire::Request;
using Answers = wire::ReplyTracker::Answers;
using Command = PreparedName::Command;

// Statements that a client's command may take for its own, where ours is to stay.
std::string Expendable(int number) {
  return fmt::format("{}0_{}", PreparedStatements::kPrefix, number);
}

}  // namespace

bool RequestRewriter::OnQueryWithNames(const wire::Frame& frame, const router::FactsRef& facts,
                                       std::string_view text) {
  const auto names = FindPreparedNames(text, tools_.statements.scan());
  // What a client has begun without its Sync is not to be ended by one of ours.
  const bool in_batch = backend_->tracker.batch_open() || backend_->tracker.skipping();
  if (!in_batch && names.size() == 1 && facts->statements.size() == 1 &&
      names.front().command == Command::kPrepare) {
    OnSqlPrepare(frame, *facts, text, names.front());
    return true;
  }
  EditedText renamed(text);
  uint32_t token = 0;
  int expendable = 0;
  for (const PreparedName& use : names) {
    if (use.command == Command::kPrepare && state_.Find(use.name) == nullptr) {
      KeepPrepared(use, text, facts);
    }
    const StatementRef* named = state_.Find(use.name);
    const StatementRef found = named != nullptr ? ForThisBackend(use.name, *named) : nullptr;
    if (found == nullptr || found->stays()) {
      const std::string foreign = Foreign(use.name);
      if (foreign != use.name) renamed.Replace(use.span, foreign);
      if (use.command == Command::kDeallocate) state_.Remove(use.name);
      continue;
    }
    if (use.command != Command::kDeallocate) {
      if (!in_batch) EnsureForQuery(*found, frame.offset);
      if (use.command == Command::kExecute) NoteExecution(*found);
      renamed.Replace(use.span, PreparedStatements::NameOf(found->id));
      stand_ins_.emplace_back(found->id, use.name);
      continue;
    }
    if (in_batch) continue;  // the server knows none of that name, and says so
    const std::string name = Expendable(expendable++);
    MakeExpendable(name, frame.offset, Answers::kSwallow);
    wire::AppendSync(flight_->InsertBefore(frame.offset));
    Ask(Request::kSync, Answers::kSwallow);
    renamed.Replace(use.span, name);
    // One of several that fails is not given back.
    if (token == 0) token = Token({Kind::kCloseName, (*named)->id, *named, use.name});
    state_.Remove(use.name);
  }
  if (!renamed.changed()) return false;
  Note(*facts, facts->effects, text);
  if (token == 0) token = Token({Kind::kRenamed, 0});
  actions_[token - first_token_].shifts = renamed.TakeShifts();
  wire::AppendQuery(flight_->Replace(frame.offset, frame.end()), std::move(renamed).Finish());
  Ask(Request::kQuery, Answers::kForward, token);
  naming_earlier_ = naming_;
  return true;
}

// Like a Parse: under our name, and not at all where the backend has it already.
void RequestRewriter::OnSqlPrepare(const wire::Frame& frame, const router::Facts& facts,
                                   std::string_view text, const PreparedName& use) {
  std::string name;
  uint32_t token = 0;
  if (const StatementRef* named = state_.Find(use.name); named != nullptr) {
    const StatementRef taken = ForThisBackend(use.name, *named);
    EnsureForQuery(*taken, frame.offset);
    name = taken->stays() ? std::string(use.span.In(text)) : PreparedStatements::NameOf(taken->id);
    token = Token({Kind::kTaken, taken->id, nullptr, use.name});
  } else {
    std::string nameless(text);
    nameless.erase(use.span.offset, use.span.length);
    StatementRef statement =
        store_.Intern(nameless, "", AnalysisKey(), Understand(text), use.span.offset);
    const uint64_t id = statement->id;
    state_.Add(use.name, statement);
    name = PreparedStatements::NameOf(id);
    const auto presence = backend_->prepared.Use(id, batch_);
    if (presence == PreparedStatements::Presence::kThere) {
      name = Expendable(0);
      CloseSwallowed(name, frame.offset, 0);
      token = Token({Kind::kParse, 0, std::move(statement), use.name});
    } else {
      if (presence == PreparedStatements::Presence::kUnsure) CloseSwallowed(name, frame.offset, 0);
      if (presence == PreparedStatements::Presence::kAbsent) MakeRoom(frame.offset);
      backend_->prepared.Sent(id, batch_);
      token = Token({Kind::kParse, id, std::move(statement), use.name});
    }
  }
  EditedText renamed(text);
  renamed.Replace(use.span, name);
  actions_[token - first_token_].shifts = renamed.TakeShifts();
  Note(facts, facts.effects & ~uint32_t{router::kPrepares}, text);
  wire::AppendQuery(flight_->Replace(frame.offset, frame.end()), std::move(renamed).Finish());
  Ask(Request::kQuery, Answers::kForward, token);
  naming_earlier_ = naming_;
}

std::string RequestRewriter::ReplaceNamesInBatch(std::string_view text,
                                                 const router::FactsRef& facts, size_t at,
                                                 std::string& deallocates) {
  EditedText renamed(text);
  for (const PreparedName& use : FindPreparedNames(text, tools_.statements.scan())) {
    if (use.command == Command::kPrepare && state_.Find(use.name) == nullptr) {
      KeepPrepared(use, text, facts);
    }
    if (use.command == Command::kDeallocate) deallocates = use.name;
    const StatementRef* named = state_.Find(use.name);
    const StatementRef found = named != nullptr ? ForThisBackend(use.name, *named) : nullptr;
    if (found == nullptr || found->stays()) {
      const std::string foreign = Foreign(use.name);
      if (foreign != use.name) renamed.Replace(use.span, foreign);
      continue;
    }
    if (use.command != Command::kDeallocate) {
      Ensure(*found, at);
      renamed.Replace(use.span, PreparedStatements::NameOf(found->id));
      stand_ins_.emplace_back(found->id, use.name);
      continue;
    }
    MakeExpendable(Expendable(0), at, Answers::kSwallowUnlessError);
    renamed.Replace(use.span, Expendable(0));
  }
  shifts_ = renamed.TakeShifts();
  return renamed.changed() ? std::move(renamed).Finish() : std::string();
}

void RequestRewriter::MakeExpendable(std::string_view name, size_t at, Answers answers) {
  CloseSwallowed(name, at, 0);
  wire::AppendParse(flight_->InsertBefore(at), name, "SELECT 1", std::string_view("\0\0", 2));
  Ask(Request::kParse, answers);
}

}  // namespace pgweir::proxy
