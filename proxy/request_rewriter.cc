#include "proxy/request_rewriter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "absl/strings/match.h"
#include "proxy/error_response.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::Backend;
using pooler::PreparedStatements;
using wire::Request;
using Answers = wire::ReplyTracker::Answers;
using Outcome = wire::ReplyTracker::Outcome;
namespace frontend = wire::frontend;

constexpr char kStatement = 'S';
// Names on servers that are ours begin like this; a client's own are kept apart from them.
constexpr std::string_view kOurPrefix = "pgweir_";
// OIDs below are PostgreSQL's own.
constexpr uint32_t kFirstUserOid = 16384;
// Statements that make room for a new one, at most.
constexpr int kEvictedAtOnce = 4;

size_t EndOf(const wire::Frame& frame) {
  return frame.offset + wire::kHeaderSize + frame.body_length;
}

constexpr std::string_view kNoTypes("\0\0", 2);

// SQL that names prepared statements.
constexpr uint32_t kNamesInSql = router::kPrepares | router::kExecutes | router::kDeallocates;

bool IsSyntaxError(std::string_view body) {
  const auto error = wire::ReadErrorFields(wire::AsBytes(body));
  return error.ok() && error->sqlstate == sqlstate::kSyntaxError;
}

// The command that makes such a statement under our name.
std::string SqlPrepare(const Statement& statement) {
  std::string sql = statement.text;
  return sql.insert(statement.name_at, PreparedStatements::NameOf(statement.id));
}

}  // namespace

void RequestRewriter::Configure(const config::Pool& limits) {
  max_prepared_ = static_cast<size_t>(limits.max_prepared_statements);
  on_session_state_ = limits.on_session_state;
}

// A name that is no statement of ours, for the server to say that it knows none of that name.
std::string RequestRewriter::Foreign(std::string_view name) {
  return std::string(absl::StartsWith(ToAbsl(name), ToAbsl(kOurPrefix)) ? kOurPrefix : "")
      .append(name);
}

// What was prepared before the catalog changed may not fit it any more: each is made anew when it
// is next used.
void RequestRewriter::Begin(Backend& backend) {
  Forget();
  fresh_ = true;
  if (catalog_ == nullptr) return;
  const uint64_t version = catalog_->version();
  if (std::exchange(backend.catalog_version, version) != version) backend.prepared.DoubtAll();
}

bool RequestRewriter::Take(const wire::Frame& frame, Splice& flight, Backend& backend,
                           const wire::Parameters& had) {
  if (naming_earlier_ > 0 && MustWait(frame)) return false;
  flight_ = &flight;
  backend_ = &backend;
  had_ = &had;
  bound_ = {};
  switch (frame.type) {
    case frontend::kQuery:
      OnQuery(frame);
      break;
    case frontend::kParse:
      OnParse(frame);
      break;
    case frontend::kBind:
      OnBind(frame);
      break;
    case frontend::kDescribe:
    case frontend::kClose:
      OnDescribeOrClose(frame);
      break;
    case frontend::kExecute:
      Ask(Request::kExecute, Answers::kForward, std::exchange(closes_all_, false) ? CloseAll() : 0);
      break;
    case frontend::kSync:
      NextBatch();
      Ask(Request::kSync);
      break;
    case frontend::kFunctionCall:
      OnFunctionCall(frame);
      break;
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      Ask(Request::kCopyEnd);
      break;
    default:
      break;  // CopyData and Flush are answered by nothing of their own
  }
  fresh_ = false;
  return true;
}

// Within a batch the server skips whatever follows a failure, so that all can be taken to succeed;
// across batches it can't.
bool RequestRewriter::MustWait(const wire::Frame& frame) const {
  return frame.type == frontend::kParse || frame.type == frontend::kBind ||
         frame.type == frontend::kDescribe || frame.type == frontend::kClose ||
         frame.type == frontend::kQuery;
}

// The facts of a text, read as the server will read it. Where that can't be known, the text is
// suspect whatever it says.
router::FactsRef RequestRewriter::Understand(std::string_view text) {
  if (reading_changes_ || !had_->ascii_superset()) {
    Suspect("text in an unknown spelling");
    backend_->custom_settings = Backend::kUnknownSettings;
  }
  return tools_.statements.Find(text, had_->standard_strings());
}

// Whether the backend has what `had_` says.
bool RequestRewriter::SettingsKnown() const {
  return !changed_settings_ && !state_.touched_settings() && !backend_->tracker.awaits_ready() &&
         backend_->suspect == nullptr;
}

// Statements are shared by those for whom they mean the same. While that may be changing, a client
// has them for itself.
std::string RequestRewriter::AnalysisKey() {
  if (SettingsKnown()) return had_->AnalysisKey();
  return fmt::format("private {}", tools_.next_unnamed++);
}

// The statement that a client's name stands for, as the backend has it or can prepare it now. With
// other settings than when the client prepared it, it would mean something else to those that share
// it; then it is another one.
StatementRef RequestRewriter::ForThisBackend(std::string_view name, const StatementRef& named) {
  if (named->stays() || backend_->prepared.IsThere(named->id, batch_)) return named;
  std::string key = AnalysisKey();
  if (StatementStore::HashOf(key) == named->analysis) return named;
  StatementRef other = store_.Intern(named->text, named->types, key, named->facts, named->name_at);
  stand_ins_.emplace_back(other->id, name);
  return other;
}

void RequestRewriter::NextBatch() {
  ++batch_;
  naming_earlier_ = naming_;
}

void RequestRewriter::OnDescribeOrClose(const wire::Frame& frame) {
  wire::ByteReader body(frame.head);
  const auto kind = body.Byte();
  const auto name = body.Text();
  const bool describe = frame.type == frontend::kDescribe;
  if (kind == kStatement && name.has_value() && frame.whole()) {
    return describe ? OnDescribeStatement(frame, *name) : OnCloseStatement(frame, *name);
  }
  if (!describe) return Ask(Request::kClose);
  Ask(kind == kStatement ? Request::kDescribeStatement : Request::kDescribePortal);
}

void RequestRewriter::Ask(Request request, Answers answers, uint32_t token) {
  backend_->tracker.OnRequest(request, answers, token);
}

uint32_t RequestRewriter::Token(Action action) {
  if (Names(action.kind)) ++naming_;
  while (!actions_.empty() && actions_.front().kind == Kind::kOver) {
    actions_.pop_front();
    ++first_token_;
  }
  actions_.push_back(std::move(action));
  return first_token_ + static_cast<uint32_t>(actions_.size() - 1);
}

// --- simple queries ---

// A Query ends the unnamed statement, unless the server skips it.
void RequestRewriter::OnQuery(const wire::Frame& frame) {
  NextBatch();
  if (!backend_->tracker.skipping()) {
    state_.DropUnnamed();
    SetUnnamed(backend_->tracker.batch_open() ? Backend::kUnknownStatement : Backend::kNoStatement);
    unnamed_batch_ = 0;
  }
  const auto text = wire::ReadQuery(frame.head);
  if (!frame.whole() || !text.ok()) {
    Suspect("long statement");
    return Ask(Request::kQuery);
  }
  const router::FactsRef facts = Understand(*text);
  if (Refuses(frame, *facts)) return;
  NoteUnseen(facts);
  if (facts->effects == router::kNoEffect) return Ask(Request::kQuery);
  ForgetSequences(*facts, frame.offset);
  if ((facts->effects & kNamesInSql) != 0 && OnQueryWithNames(frame, *facts, *text)) return;
  Note(*facts, facts->effects, *text);
  const bool closes_all = (facts->effects & router::kDeallocatesAll) != 0;
  Ask(Request::kQuery, Answers::kForward, closes_all ? CloseAll() : 0);
  if (closes_all) naming_earlier_ = naming_;
}

// --- Parse ---

void RequestRewriter::OnParse(const wire::Frame& frame) {
  wire::ByteReader body(frame.head);
  const auto name = body.Text();
  const auto text = body.Text();
  if (!frame.whole() || !name.has_value() || !text.has_value()) {
    // Too long to be understood or held: it stays on this backend under its own name.
    Suspect("long statement");
    if (!name.has_value() || name->empty()) {
      SessionState::Unnamed& unnamed = state_.Replace(tools_.next_unnamed++);
      unnamed.held = false;
      unnamed.facts = nullptr;
      if (!backend_->tracker.skipping()) SetUnnamed(unnamed.number);
      return Ask(Request::kParse, Answers::kForward, Token({Kind::kUnnamed, unnamed.number}));
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
  std::string replaced;
  if ((facts->effects & kNamesInSql) != 0) replaced = ReplaceNamesInBatch(text, frame.offset);
  if (!replaced.empty()) {
    wire::AppendParse(flight_->Replace(frame.offset, EndOf(frame)), "", replaced, types);
    text = replaced;
  }
  SessionState::Unnamed& unnamed = state_.Replace(tools_.next_unnamed++);
  unnamed.held = replaced.empty();  // names of ours in it hold for this batch
  unnamed.text.assign(text);
  unnamed.types.assign(types);
  unnamed.facts = std::move(facts);
  if (!backend_->tracker.skipping()) SetUnnamed(unnamed.number);
  Ask(Request::kParse, Answers::kForward, Token({Kind::kUnnamed, unnamed.number}));
}

// It holds for requests of this batch, which the server skips as well if it skips what changed it;
// for others only once that is answered.
void RequestRewriter::SetUnnamed(uint64_t number) {
  backend_->unnamed = number;
  unnamed_batch_ = batch_;
}

void RequestRewriter::OnParseNamed(const wire::Frame& frame, std::string_view name,
                                   std::string_view text, std::string_view types) {
  if (const StatementRef* taken = state_.Find(name); taken != nullptr) {
    // The name is taken: on the server too, so that it says so itself.
    const StatementRef statement = ForThisBackend(name, *taken);
    const uint64_t id = statement->id;
    std::string ours = ServerName(*statement, name);
    if (InFailedTransaction()) {
      // There the server looks at the text alone, and prepares nothing.
      ours.clear();
      SetUnnamed(Backend::kUnknownStatement);
    } else {
      Ensure(*statement, frame.offset);
    }
    wire::AppendParse(flight_->Replace(frame.offset, EndOf(frame)), ours, text, types);
    return Ask(Request::kParse, Answers::kForward,
               Token({Kind::kTaken, id, nullptr, std::string(name)}));
  }
  router::FactsRef facts = Understand(text);
  if (Refuses(frame, *facts)) return;
  std::string replaced;
  if ((facts->effects & kNamesInSql) != 0) {
    replaced = ReplaceNamesInBatch(text, frame.offset);
    if (!replaced.empty()) {
      // Where else it is prepared, what it names would be missing.
      state_.PinForGood("statement that names another");
      text = replaced;
    }
  }
  StatementRef statement = store_.Intern(text, types, AnalysisKey(), std::move(facts));
  state_.Add(name, statement);
  const uint64_t id = statement->id;
  const auto presence = backend_->prepared.Use(id, batch_);
  if (presence == PreparedStatements::Presence::kThere) {
    std::string& out = flight_->Replace(frame.offset, EndOf(frame));
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
  wire::AppendParse(flight_->Replace(frame.offset, EndOf(frame)), PreparedStatements::NameOf(id),
                    text, types);
  backend_->prepared.Sent(id, batch_);
  Ask(Request::kParse, Answers::kForward,
      Token({Kind::kParse, id, std::move(statement), std::string(name)}));
}

// Whether a Parse would succeed if it were sent, as far as the transaction goes: in a failed one it
// does not.
bool RequestRewriter::MayPretend() const {
  return !InFailedTransaction() && !backend_->tracker.awaits_ready();
}

bool RequestRewriter::InFailedTransaction() const {
  return backend_->tracker.status() == wire::TransactionStatus::kFailed;
}

// --- Bind, Describe, Close ---

void RequestRewriter::OnBind(const wire::Frame& frame) {
  wire::ByteReader body(frame.head);
  const auto portal = body.Text();
  const auto name = body.Text();
  if (!portal.has_value() || !name.has_value()) return Ask(Request::kBind);
  bound_ = body.rest();
  if (name->empty()) {
    EnsureUnnamed(frame.offset);
    const SessionState::Unnamed& unnamed = state_.unnamed();
    if (unnamed.number != 0 && unnamed.facts != nullptr) {
      NoteUnseen(unnamed.facts);
      if (unnamed.facts->effects != router::kNoEffect) {
        Note(*unnamed.facts, unnamed.facts->effects, unnamed.text);
      }
    }
    return Ask(Request::kBind);
  }
  const StatementRef* named = state_.Find(*name);
  const StatementRef found = named != nullptr ? ForThisBackend(*name, *named) : nullptr;
  std::string ours = found != nullptr ? ServerName(*found, *name) : Foreign(*name);
  if (found != nullptr) {
    ForgetSequences(*found->facts, frame.offset);
    Ensure(*found, frame.offset);
  }
  if (ours != *name) {
    const size_t names = portal->size() + 1 + name->size() + 1;
    std::string& out = flight_->Replace(frame.offset, frame.offset + wire::kHeaderSize + names);
    wire::AppendBindHead(out, *portal, ours, frame.body_length - static_cast<uint32_t>(names));
  }
  if (found == nullptr) return Ask(Request::kBind);
  NoteExecution(*found);
  Ask(Request::kBind, Answers::kForward, Token({Kind::kUse, found->id}));
}

void RequestRewriter::OnDescribeStatement(const wire::Frame& frame, std::string_view name) {
  if (name.empty()) {
    EnsureUnnamed(frame.offset);
    return Ask(Request::kDescribeStatement);
  }
  const StatementRef* named = state_.Find(name);
  const StatementRef found = named != nullptr ? ForThisBackend(name, *named) : nullptr;
  const std::string ours = found != nullptr ? ServerName(*found, name) : Foreign(name);
  if (found != nullptr) Ensure(*found, frame.offset);
  if (ours != name) {
    wire::AppendDescribe(flight_->Replace(frame.offset, EndOf(frame)), kStatement, ours);
  }
  if (found == nullptr) return Ask(Request::kDescribeStatement);
  Ask(Request::kDescribeStatement, Answers::kForward, Token({Kind::kUse, found->id}));
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
    wire::AppendClose(flight_->Replace(frame.offset, EndOf(frame)), kStatement, unknown);
  }
  if (found == nullptr) return Ask(Request::kClose);
  const uint32_t token = Token({Kind::kCloseName, (*found)->id, *found, std::string(name)});
  state_.Remove(name);
  Ask(Request::kClose, Answers::kForward, token);
}

// By its OID a function can be anything but one of PostgreSQL's own that changes the session.
void RequestRewriter::OnFunctionCall(const wire::Frame& frame) {
  NextBatch();
  const auto oid = wire::ByteReader(frame.head).Int32();
  if (!oid.has_value() || *oid >= kFirstUserOid) Suspect("function call");
  Ask(Request::kFunctionCall);
}

// --- what the backend must have first ---

std::string RequestRewriter::ServerName(const Statement& statement, std::string_view name) {
  return statement.stays() ? Foreign(name) : PreparedStatements::NameOf(statement.id);
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

void RequestRewriter::Ensure(const Statement& statement, size_t at) {
  if (statement.stays()) return;
  const auto presence = backend_->prepared.Use(statement.id, batch_);
  if (presence == PreparedStatements::Presence::kThere) return;
  const std::string name = PreparedStatements::NameOf(statement.id);
  if (presence == PreparedStatements::Presence::kUnsure) {
    CloseSwallowed(name, at, 0);
  } else {
    MakeRoom(at);
  }
  std::string& out = flight_->InsertBefore(at);
  backend_->prepared.Sent(statement.id, batch_);
  if (statement.name_at == std::string::npos) {
    wire::AppendParse(out, name, statement.text, statement.types);
    return Ask(Request::kParse, Answers::kSwallowUnlessError, Token({Kind::kShadow, statement.id}));
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
  const std::string name = PreparedStatements::NameOf(statement.id);
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
  wire::AppendParse(out, name, statement.text, statement.types);
  wire::AppendSync(out);
  Ask(Request::kParse, Answers::kSwallow, token);
  Ask(Request::kSync, Answers::kSwallow);
}

void RequestRewriter::EnsureUnnamed(size_t at) {
  const SessionState::Unnamed& unnamed = state_.unnamed();
  const bool known = unnamed_batch_ == 0 || unnamed_batch_ == batch_;
  if (known && backend_->unnamed == unnamed.number) return;  // kNoStatement and 0 are the same
  if (unnamed.number == 0 || !unnamed.held) {
    // Another client's must not be met: there is to be none.
    CloseSwallowed("", at, Token({Kind::kNoUnnamed, 0}));
    return SetUnnamed(Backend::kNoStatement);
  }
  wire::AppendParse(flight_->InsertBefore(at), "", unnamed.text, unnamed.types);
  SetUnnamed(unnamed.number);
  Ask(Request::kParse, Answers::kSwallowUnlessError, Token({Kind::kUnnamed, unnamed.number}));
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

// --- how it ended ---

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
  first_token_ = kFirstToken;
  unnamed_batch_ = 0;
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
  if (asked != nullptr && asked->kind == Kind::kRefused && IsSyntaxError(body)) {
    AppendError(out, Severity::kError, Refusal(asked->name));
    return out;
  }
  const std::string renamed = InClientsNames(body, asked);
  if (!renamed.empty()) wire::AppendErrorBody(out, renamed);
  return out;
}

std::string RequestRewriter::InClientsNames(std::string_view body, const Action* asked) const {
  std::string out;
  size_t at;
  while ((at = body.find(kOurPrefix)) != std::string_view::npos) {
    const size_t digits = at + kOurPrefix.size();
    size_t end = digits;
    uint64_t id = 0;
    while (end < body.size() && body[end] >= '0' && body[end] <= '9')
      id = id * 10 + (body[end++] - '0');
    std::string_view name;
    if (end > digits) name = state_.NameOf(id);
    for (const auto& [stand_in, clients] : stand_ins_) {
      if (stand_in == id) name = clients;
    }
    if (asked != nullptr && asked->kind == Kind::kTaken && asked->id == id) name = asked->name;
    out.append(body.substr(0, at)).append(name.empty() ? body.substr(at, end - at) : name);
    body.remove_prefix(end);
  }
  return out.empty() ? out : out.append(body);
}

}  // namespace pgweir::proxy
