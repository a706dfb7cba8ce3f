// INSERTs into sharded tables that leave columns to sequences: on their way they are given numbers
// that were drawn for them.

#include <utility>

#include "proxy/request_rewriter.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using wire::Request;
using Answers = wire::ReplyTracker::Answers;

Status ChangedSince() {
  return WithHint(Error(sqlstate::kFeatureNotSupported,
                        "what the statement leaves to sequences has changed since it was prepared"),
                  "Prepare it anew.");
}

}  // namespace

router::DrawnNumbersRef RequestRewriter::Drawn(const router::FactsRef& facts) const {
  if (map_ == nullptr || facts == nullptr || facts->statements.size() != 1) return nullptr;
  return tools_.planners.Of(*catalog_, map_).Drawn(facts, 0);
}

NumberedStatementRef RequestRewriter::Numbered(const router::FactsRef& facts, std::string_view text,
                                               std::string_view types) {
  router::DrawnNumbersRef drawn = Drawn(facts);
  if (drawn == nullptr) return nullptr;
  return MakeNumbered(std::move(drawn), text, types, *facts,
                      tools_.statements.ScanOf(text, had_->standard_strings()));
}

bool RequestRewriter::IsNumberedAsNow(const Statement& statement) const {
  const router::DrawnNumbersRef now = Drawn(statement.facts);
  if (now == nullptr || statement.numbered == nullptr) {
    return (now == nullptr) == (statement.numbered == nullptr);
  }
  return now == statement.numbered->drawn || *now == *statement.numbered->drawn;
}

bool RequestRewriter::OnQueryWithNumbers(const wire::Frame& frame, std::string_view text) {
  if (next_given_ == given_.statements.size()) return false;
  const router::FactsRef facts = tools_.statements.Find(text, had_->standard_strings());
  const std::span<const router::Token> tokens = tools_.statements.scan().tokens();
  EditedText edited(text);
  for (; next_given_ < given_.statements.size(); ++next_given_) {
    const NumbersGiven::One& given = given_.statements[next_given_];
    const router::StatementFacts& statement = facts->statements[given.statement];
    const auto edits = router::NumberEdits(
        *given.drawn, text, tokens.subspan(statement.first_token, statement.tokens),
        [&](size_t i) { return router::NumberLiteral(given.numbers[i]); });
    if (!edits) {
      SendRefused(frame, frame.end(), "", ChangedSince());
      return true;
    }
    for (const router::TextEdit& edit : *edits) edited.Replace(edit.span, edit.text);
  }
  Action action{.kind = Kind::kRenamed, .id = 0};
  action.shifts = edited.TakeShifts();
  wire::AppendQuery(flight_->Replace(frame.offset, frame.end()), std::move(edited).Finish());
  Ask(Request::kQuery, Answers::kForward, Token(std::move(action)));
  return true;
}

bool RequestRewriter::RefusesUnnumbered(const wire::Frame& frame, const router::FactsRef& facts) {
  const bool due = next_given_ < given_.statements.size();
  if (!due || Drawn(facts) == nullptr) return false;
  SendRefused(frame, frame.end(), "pgweir", ChangedSince());
  return true;
}

// Without numbers, where the server draws them itself, or does nothing but refuse.
bool RequestRewriter::SendNumberedBind(const wire::Frame& frame, std::string_view server_name,
                                       const NumberedStatement& statement) {
  if (!flight_->Reaches(frame.end())) return true;  // the server finds too few parameters
  const std::vector<std::string>* numbers = nullptr;
  const bool draws_itself =
      given_.by_server || InFailedTransaction() || backend_->tracker.skipping();
  if (!draws_itself) {
    const bool any = next_given_ < given_.statements.size();
    const NumbersGiven::One* given = any ? &given_.statements[next_given_++] : nullptr;
    if (given == nullptr || !(*given->drawn == *statement.drawn)) {
      SendRefused(frame, frame.end(), "pgweir", ChangedSince());
      return false;
    }
    numbers = &given->numbers;
  }
  const wire::Bytes body = flight_->In(frame.offset + wire::kHeaderSize, frame.end());
  std::string bind;
  const Status fits = AppendNumberedBind(bind, wire::AsText(body), server_name, statement, numbers);
  if (!fits.ok()) {
    SendRefused(frame, frame.end(), "pgweir", fits);
    return false;
  }
  flight_->Replace(frame.offset, frame.end()) += bind;
  return true;
}

std::string RequestRewriter::DescriptionInstead(std::string_view body, uint32_t token) const {
  std::string out;
  const Action* asked = Asked(token);
  if (asked == nullptr || asked->numbered == nullptr) return out;
  AppendOwnDescription(out, body, asked->numbered->own);
  return out;
}

}  // namespace pgweir::proxy
