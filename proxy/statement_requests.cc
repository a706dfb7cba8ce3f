// What a client asks about its statements: Parse, Bind, Describe, Close.

#include "proxy/request_rewriter.h"

#include <utility>

#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::Backend;
using pooler::PreparedStatements;
using wire::Request;
using Answers = wire::ReplyTracker::Answers;

constexpr char kStatement = 'S';

}  // namespace

void RequestRewriter::OnParse(const wire::Frame& frame) {
  counters_.Add(Stat::kClientParses);
  wire::ByteReader body(frame.head);
  const auto name = body.Text();
  const auto text = body.Text();
  if (!frame.whole() || !name.has_value() || !text.has_value()) {
    // Too long to be understood or held: it stays on this backend under its own name.
    Suspect("long statement");
    NoteCommitInLong(frame);
    if (!name.has_value() || name->empty()) {
      const uint64_t number = tools_.next_unnamed++;
      state_.ReplaceByUnknown(number);
      if (!backend_->tracker.skipping()) SetUnnamed(number);
      return Ask(Request::kParse, Answers::kForward, Token({Kind::kUnnamed, number}));
    }
    KeepHere(*name, "long prepared statement");
    return Ask(Request::kParse);
  }
  if (name->empty()) return OnParseUnnamed(frame, *text, body.rest());
  OnParseNamed(frame, *name, *text, body.rest());
}

// The unnamed statement goes to the server as it is, and is kept for the case that a later batch,
// perhaps on another backend, binds it (PostgreSQL keeps it until the next one or a Query).
void RequestRewriter::OnParseUnnamed(const wire::Frame& frame, std::string_view text,
                                     std::string_view types) {
  router::FactsRef facts = Understand(text);
  if (Refuses(frame, *facts)) return;
  ForgetSequences(*facts, frame.offset);
  std::string replaced, deallocates;
  if ((facts->effects & kNamesInSql) != 0) {
    replaced = ReplaceNamesInBatch(text, facts, frame.offset, deallocates);
  }
  if (!replaced.empty()) {
    wire::AppendParse(flight_->Replace(frame.offset, frame.end()), "", replaced, types);
    text = replaced;
  }
  NumberedStatementRef numbered = Numbered(facts, text, types);
  if (numbered != nullptr) {
    wire::AppendParse(flight_->Replace(frame.offset, frame.end()), "", numbered->text, types);
  }
  const std::string* const part = PartOf(text);
  if (part != nullptr) {
    wire::AppendParse(flight_->Replace(frame.offset, frame.end()), "", *part, types);
  }
  SessionState::Unnamed& unnamed = state_.Replace(tools_.next_unnamed++);
  unnamed.held = replaced.empty();  // names of ours in it hold for this batch
  unnamed.text.assign(text);
  unnamed.types.assign(types);
  unnamed.deallocates = std::move(deallocates);
  unnamed.facts = std::move(facts);
  unnamed.numbered = numbered;
  if (!backend_->tracker.skipping()) SetUnnamed(unnamed.number);
  unnamed_is_part_ = part != nullptr;
  Action action{Kind::kUnnamed, unnamed.number};
  action.shifts = std::exchange(shifts_, {});
  action.numbered = std::move(numbered);
  Ask(Request::kParse, Answers::kForward, Token(std::move(action)));
}

void RequestRewriter::OnParseNamed(const wire::Frame& frame, std::string_view name,
                                   std::string_view text, std::string_view types) {
  if (const StatementRef* taken = state_.Find(name); taken != nullptr) {
    // The name is taken: on the server too, so that it says so itself.
    const StatementRef statement = ForThisBackend(name, *taken);
    const uint64_t id = statement->id;
    std::string ours = ServerName(*statement, name);
    const bool there = statement->stays() || backend_->prepared.IsThere(id, batch_);
    if (InFailedTransaction() && !there) {
      // There nothing can be prepared, and mostly the server looks at the text alone.
      ours.clear();
      SetUnnamed(Backend::kUnknownStatement);
    } else {
      Ensure(*statement, frame.offset);
    }
    wire::AppendParse(flight_->Replace(frame.offset, frame.end()), ours, text, types);
    return Ask(Request::kParse, Answers::kForward,
               Token({Kind::kTaken, id, nullptr, std::string(name)}));
  }
  router::FactsRef facts = Understand(text);
  if (Refuses(frame, *facts)) return;
  std::string replaced, deallocates;
  if ((facts->effects & kNamesInSql) != 0) {
    replaced = ReplaceNamesInBatch(text, facts, frame.offset, deallocates);
    if (!replaced.empty()) {
      // Where else it is prepared, what it names would be missing.
      state_.PinForGood("statement that names another");
      text = replaced;
    }
  }
  NumberedStatementRef numbered = Numbered(facts, text, types);
  StatementRef statement = store_.Intern(text, types, AnalysisKey(), std::move(facts),
                                         std::string::npos, std::move(numbered));
  if (!deallocates.empty()) {
    // Others may end one of another name with it.
    auto own = std::make_shared<Statement>(*statement);
    own->deallocates = std::move(deallocates);
    statement = std::move(own);
  }
  state_.Add(name, statement);
  const uint64_t id = statement->id;
  const auto presence = backend_->prepared.Use(id, batch_);
  if (presence == PreparedStatements::Presence::kThere) {
    std::string& out = flight_->Replace(frame.offset, frame.end());
    if (MayPretend()) {
      // It is prepared already. The close of a portal that can't be is answered at the same point.
      wire::AppendClose(out, 'P', "pgweir");
      return Ask(Request::kClose, Answers::kAsParseComplete,
                 Token({Kind::kParse, 0, std::move(statement), std::string(name)}));
    }
    wire::AppendParse(out, "", text, types);
    SetUnnamed(Backend::kUnknownStatement);
    return Ask(Request::kParse, Answers::kForward,
               Token({Kind::kParse, 0, std::move(statement), std::string(name)}));
  }
  if (presence == PreparedStatements::Presence::kUnsure) {
    CloseSwallowed(PreparedStatements::NameOf(id), frame.offset, 0);
  } else {
    MakeRoom(frame.offset);
  }
  wire::AppendParse(flight_->Replace(frame.offset, frame.end()), statement->server_name,
                    statement->on_servers(), types);
  backend_->prepared.Sent(id, batch_);
  Action action{Kind::kParse, id, statement, std::string(name)};
  action.numbered = statement->numbered;
  action.shifts = std::exchange(shifts_, {});
  Ask(Request::kParse, Answers::kForward, Token(std::move(action)));
}

// It holds for requests of this batch, which the server skips as well if it skips what changed it;
// for others only once that is answered.
void RequestRewriter::SetUnnamed(uint64_t number) {
  backend_->unnamed = number;
  unnamed_batch_ = batch_;
}

// Whether a Parse would succeed if it were sent, as far as the transaction goes: in a failed one it
// does not.
bool RequestRewriter::MayPretend() const {
  return !InFailedTransaction() && !backend_->tracker.awaits_ready();
}

bool RequestRewriter::InFailedTransaction() const {
  return backend_->tracker.status() == wire::TransactionStatus::kFailed;
}

void RequestRewriter::OnBind(const wire::Frame& frame) {
  counters_.Add(Stat::kBinds);
  wire::ByteReader body(frame.head);
  const auto portal = body.Text();
  const auto name = body.Text();
  if (!portal.has_value() || !name.has_value()) return Ask(Request::kBind);
  bound_ = body.rest();
  NoteDeallocation(*portal, "");
  if (name->empty()) {
    EnsureUnnamed(frame.offset);
    const SessionState::Unnamed& unnamed = state_.unnamed();
    NoteDeallocation(*portal, unnamed.deallocates);
    if (unnamed.number != 0 && unnamed.facts != nullptr) {
      NoteUnseen(unnamed.facts);
      if (unnamed.facts->effects != router::kNoEffect) {
        Note(*unnamed.facts, unnamed.facts->effects, unnamed.text);
      }
    }
    if (!unnamed.is_numbered()) {
      if (RefusesUnnumbered(frame, unnamed.facts)) return;
      return Ask(Request::kBind);
    }
    if (!SendNumberedBind(frame, "", *unnamed.numbered)) return;
    return Ask(Request::kBind, Answers::kForward, Token(Use(unnamed)));
  }
  const StatementRef* named = state_.Find(*name);
  const StatementRef found =
      named != nullptr ? PartOf(*name, ForThisBackend(*name, *named)) : nullptr;
  std::string ours = found != nullptr ? ServerName(*found, *name) : Foreign(*name);
  if (found != nullptr) {
    NoteDeallocation(*portal, (*named)->deallocates);
    ForgetSequences(*found->facts, frame.offset);
    Ensure(*found, frame.offset);
  }
  if (found != nullptr && found->numbered != nullptr) {
    if (!SendNumberedBind(frame, ours, *found->numbered)) return;
  } else if (found != nullptr && RefusesUnnumbered(frame, found->facts)) {
    return;
  } else if (ours != *name) {
    const size_t names = portal->size() + 1 + name->size() + 1;
    std::string& out = flight_->Replace(frame.offset, frame.offset + wire::kHeaderSize + names);
    wire::AppendBindHead(out, *portal, ours, frame.body_length - static_cast<uint32_t>(names));
  }
  if (found == nullptr) return Ask(Request::kBind);
  NoteExecution(*found);
  Ask(Request::kBind, Answers::kForward, Token(Use(*found, *name)));
}

void RequestRewriter::OnDescribeStatement(const wire::Frame& frame, std::string_view name) {
  if (name.empty()) {
    EnsureUnnamed(frame.offset);
    const SessionState::Unnamed& unnamed = state_.unnamed();
    if (!unnamed.is_numbered()) {
      return Ask(Request::kDescribeStatement);
    }
    return Ask(Request::kDescribeStatement, Answers::kForward, Token(Use(unnamed)));
  }
  const StatementRef* named = state_.Find(name);
  const StatementRef found = named != nullptr ? ForThisBackend(name, *named) : nullptr;
  const std::string ours = found != nullptr ? ServerName(*found, name) : Foreign(name);
  if (found != nullptr) Ensure(*found, frame.offset);
  if (ours != name) {
    wire::AppendDescribe(flight_->Replace(frame.offset, frame.end()), kStatement, ours);
  }
  if (found == nullptr) return Ask(Request::kDescribeStatement);
  Ask(Request::kDescribeStatement, Answers::kForward, Token(Use(*found, name)));
}

// The statement stays on the server, where others use it. The server is asked to close one that it
// does not know, which it answers alike.
void RequestRewriter::OnCloseStatement(const wire::Frame& frame, std::string_view name) {
  if (name.empty()) {
    const uint64_t number = state_.unnamed().number;
    if (!backend_->tracker.skipping()) {
      state_.CloseUnnamed();
      SetUnnamed(Backend::kUnknownStatement);
    }
    return Ask(Request::kClose, Answers::kForward, Token({Kind::kCloseUnnamed, number}));
  }
  const StatementRef* found = state_.Find(name);
  const std::string unknown = Foreign(name);
  if (unknown != name) {
    wire::AppendClose(flight_->Replace(frame.offset, frame.end()), kStatement, unknown);
  }
  if (found == nullptr) return Ask(Request::kClose);
  const uint32_t token = Token({Kind::kCloseName, (*found)->id, *found, std::string(name)});
  state_.Remove(name);
  Ask(Request::kClose, Answers::kForward, token);
}

}  // namespace pgweir::proxy
