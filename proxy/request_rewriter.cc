#include "proxy/request_rewriter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using pooler::Backend;
using wire::Request;
using Answers = wire::ReplyTracker::Answers;
namespace frontend = wire::frontend;

constexpr char kStatement = 'S';
// OIDs below are PostgreSQL's own.
constexpr uint32_t kFirstUserOid = 16384;

}  // namespace

RequestRewriter::RequestRewriter(WorkerTools& tools, StatementStore& store, Belongings& own,
                                 Counters& counters, Buffers& buffers)
    : tools_(tools),
      store_(store),
      counters_(counters),
      own_(own),
      state_(own.state),
      catalog_(own.catalog),
      map_(own.map),
      max_prepared_(static_cast<size_t>(own.max_prepared)),
      on_session_state_(own.on_session_state),
      actions_(buffers.actions),
      stand_ins_(buffers.stand_ins) {}

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
      Ask(Request::kExecute, Answers::kForward,
          CloseWhatItEnds(wire::ByteReader(frame.head).Text().value_or("")));
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

void RequestRewriter::NextBatch() {
  if (std::exchange(unnamed_is_part_, false)) SetUnnamed(Backend::kUnknownStatement);
  ++batch_;
  naming_earlier_ = naming_;
}

void RequestRewriter::Ask(Request request, Answers answers, uint32_t token) {
  if (request == Request::kParse) counters_.Add(Stat::kServerParses);
  backend_->tracker.OnRequest(request, answers, token);
}

uint32_t RequestRewriter::Token(Action action) {
  if (Names(action.kind)) ++naming_;
  if (actions_.size() == actions_.capacity()) DropSettled();
  actions_.push_back(std::move(action));
  return first_token_ + static_cast<uint32_t>(actions_.size() - 1);
}

// The oldest actions, where at least half of all are settled: so that each is moved once or so,
// however long requests go on without a pause.
void RequestRewriter::DropSettled() {
  const auto first = std::find_if(actions_.begin(), actions_.end(),
                                  [](const Action& action) { return action.kind != Kind::kOver; });
  const auto settled = static_cast<size_t>(first - actions_.begin());
  if (settled * 2 < actions_.size()) return;
  actions_.erase(actions_.begin(), first);
  first_token_ += static_cast<uint32_t>(settled);
}

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
    NoteCommitInLong(frame);
    return Ask(Request::kQuery);
  }
  const router::FactsRef facts = Understand(*text);
  if (Refuses(frame, *facts)) return;
  NoteUnseen(facts);
  if (facts->effects == router::kNoEffect) return Ask(Request::kQuery);
  ForgetSequences(*facts, frame.offset);
  if (OnQueryWithNumbers(frame, *text)) return Note(*facts, facts->effects, *text);
  if ((facts->effects & kNamesInSql) != 0 && OnQueryWithNames(frame, facts, *text)) return;
  Note(*facts, facts->effects, *text);
  const bool closes_all = (facts->effects & router::kDeallocatesAll) != 0;
  Ask(Request::kQuery, Answers::kForward, closes_all ? CloseAll() : 0);
  if (closes_all) naming_earlier_ = naming_;
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

// By its OID a function can be anything but one of PostgreSQL's own that changes the session.
void RequestRewriter::OnFunctionCall(const wire::Frame& frame) {
  NextBatch();
  const auto oid = wire::ByteReader(frame.head).Int32();
  if (!oid.has_value() || *oid >= kFirstUserOid) Suspect("function call");
  Ask(Request::kFunctionCall);
}

}  // namespace pgweir::proxy
