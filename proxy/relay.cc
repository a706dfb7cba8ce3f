#include "proxy/relay.h"

#include <algorithm>
#include <functional>

#include "base/log.h"
#include "base/strings.h"
#include "proxy/request.h"
#include "wire/messages.h"
#include "wire/transaction_words.h"

namespace pgweir::proxy {
namespace {

using Step = wire::FrameScanner::Step;
using wire::Request;
namespace frontend = wire::frontend;
namespace backend = wire::backend;

// Reads of 64 KiB before others have a turn.
constexpr int kReadsPerTurn = 16;
// Requests that a client may have in flight before it is not read any further.
constexpr size_t kMaxPending = 64 * 1024;
// Of a text that was kept to be sent again, memory beyond is given back.
constexpr size_t kKeptText = size_t{4} << 10;

bool IsFatal(std::string_view severity) { return severity == "FATAL" || severity == "PANIC"; }

// Whether a server's word says that what was asked of it, which nobody has an answer to yet, comes
// to nothing for reasons of the server's own: it ends, which in haste it says in a warning; or a
// standby gives up a read so that it can go on with replaying.
bool EndsInVain(const wire::Frame& frame) {
  if (frame.type != backend::kErrorResponse && frame.type != backend::kNoticeResponse) return false;
  const auto error = wire::ReadErrorFields(frame.head);
  if (!error.ok()) return false;
  return IsFatal(error->severity) || error->sqlstate.starts_with("57P") ||
         (frame.type == backend::kErrorResponse &&
          error->sqlstate == sqlstate::kSerializationFailure);
}

// Whether an error says that its server is not, or not for long, what it was taken for.
bool MakesSuspect(std::string_view state) {
  return state == sqlstate::kReadOnlyTransaction || state == sqlstate::kAdminShutdown ||
         state == sqlstate::kCrashShutdown || state == sqlstate::kCannotConnectNow;
}

// PostgreSQL's one error whose remedy is to prepare the statement anew, and which says so in a
// field that is not translated.
bool SaysStalePlan(const wire::ErrorFields& error, std::string_view body) {
  return error.sqlstate == sqlstate::kFeatureNotSupported &&
         body.find("RRevalidateCachedQuery") != std::string_view::npos;
}

}  // namespace

void Relay::Buffers::Clear() {
  for (std::string* const text : {&replay, &again}) {
    if (text->capacity() > kKeptText) std::string().swap(*text);
    text->clear();
  }
  rewriter.Clear();
}

void Relay::Drop() {
  if (own_.writes != nullptr) own_.writes->Over();
  rewriter_.Abandon(*lease_);
  lease_.Discard();
}

void Relay::Release(TimePoint now) {
  const bool unknown = lease_->custom_settings == pooler::Backend::kUnknownSettings;
  if (unfit_ || unknown) {
    LogInfo("closing because: {} backend={}",
            unfit_ ? "it could not be reset" : "it may know settings of its client's",
            lease_->id().value);
    return lease_.Discard();
  }
  lease_.Return(now);
}

bool Relay::Begin(wire::Bytes request, TimePoint now, bool repeatable, std::string_view first) {
  client_.counters->Add(Stat::kAssignments);
  own_.request_at = xact_since_ = now;
  const std::string settings = AgreeOnSettings();
  if (!settings.empty()) {
    lease_->tracker.OnRequest(Request::kQuery, wire::ReplyTracker::Answers::kSwallow, kSettings);
    lease_->unnamed = pooler::Backend::kNoStatement;
  }
  if (!first.empty()) rewriter_.Repeat(first, *lease_, *own_.parameters, kAgain);
  const wire::Bytes understood = TakeRequests(request);
  const bool alone = own_.guided || client_.input.empty();
  if (rewriter_.uses_prepared() && scanner_.at_boundary() && alone && first.empty() &&
      request.size() <= RequestReader::kMaxGathered && describing_batch_) {
    again_.assign(wire::AsText(request));
  }
  alone_ = repeatable;
  if (repeatable && scanner_.at_boundary() && alone && first.empty()) {
    replay_.assign(wire::AsText(request));
  }
  if (settings.empty() && first.empty()) return SendFirst(understood);
  std::string flight;
  if (!settings.empty()) wire::AppendQuery(flight, settings);
  if (!first.empty()) wire::AppendQuery(flight, first);
  flight.append(wire::AsText(understood));
  return SendFirst(wire::AsBytes(flight));
}

// The statements that the backend needs before the client's; mostly none.
std::string Relay::AgreeOnSettings() {
  wire::ParametersRef& theirs = lease_->parameters;
  if (own_.parameters == nullptr || own_.parameters == theirs) return "";
  if (*own_.parameters == *theirs) {
    // Of two equal objects all go over to the one that comes first in memory, so that soon every
    // client and backend holds the same one and the comparison is one of pointers.
    const bool ours_first = std::less<>()(own_.parameters.get(), theirs.get());
    (ours_first ? theirs : own_.parameters) = ours_first ? own_.parameters : theirs;
    return "";
  }
  return wire::SettingsChange(*theirs, *own_.parameters);
}

// What the client sends on a backend that it has begins a request, and a transaction, if nothing is
// under way.
void Relay::NoteBegin(TimePoint now) {
  const wire::ReplyTracker& tracker = lease_->tracker;
  if (tracker.outstanding()) return;
  own_.request_at = now;
  if (tracker.status() == wire::TransactionStatus::kIdle) xact_since_ = own_.request_at;
}

// A request has been answered; those that wait behind it begin now.
void Relay::NoteAnswer() {
  Counters& counters = *client_.counters;
  counters.Add(Stat::kQueries);
  counters.Add(Stat::kQueryTime, answered_at_ - own_.request_at);
  if (own_.pattern_counters != nullptr)
    own_.pattern_counters->Answered(answered_at_ - own_.request_at);
  if (lease_->watch != nullptr) lease_->watch->Answered(answered_at_ - own_.request_at);
  own_.request_at = answered_at_;
  if (lease_->tracker.status() != wire::TransactionStatus::kIdle) return;
  counters.Add(Stat::kXacts);
  counters.Add(Stat::kXactTime, answered_at_ - xact_since_);
  xact_since_ = answered_at_;
}

bool Relay::SendFirst(wire::Bytes bytes) {
  return to_backend_.Send(lease_->stream(), bytes) != net::IoState::kFailed;
}

Relay::Next Relay::Pump() {
  if (!client_.output.empty()) {
    if (client_.output.Flush(client_.stream) == net::IoState::kFailed) own_.gone = true;
    // There is more to come at once, so that this may be the only moment.
    if (client_.output.empty() && watch_.has_answered()) watch_.Sent(*own_.parameters);
  }
  if (!to_backend_.empty() && !backend_broken_) SendToBackend({});
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const Next from_backend = ReadBackend();
    if (from_backend != Next::kWait && from_backend != Next::kYield) return from_backend;
    const Next decision = Decide();
    if (decision != Next::kWait) return decision;
    const Next from_client = ReadClient();
    if (from_client != Next::kWait && from_client != Next::kYield) return from_client;
    if (from_backend == Next::kWait && from_client == Next::kWait) return Next::kWait;
  }
  return Next::kYield;
}

// Whether what has come so far ends the client's use of the backend.
Relay::Next Relay::Decide() {
  const wire::ReplyTracker& tracker = lease_->tracker;
  if (own_.gone) return Next::kClientGone;
  // A client that said Terminate waits for nothing but what it has asked for before.
  if (own_.terminated && (tracker.copy_in() || !tracker.awaits_ready())) return Next::kClientGone;
  if (own_.mode == config::PoolMode::kSession) return Next::kWait;
  if (!violation_.ok()) return Next::kViolation;
  // A request that no answer comes to, as a Flush alone, may have to go out first.
  const bool free = Free() && to_backend_.Flush(lease_->stream()) == net::IoState::kOk;
  return free ? SettleSession() : Next::kWait;
}

// The backend may go back, unless the server is still to be asked what has become of the client's
// session, or that can't be carried, or the next client would meet something of it.
Relay::Next Relay::SettleSession() {
  SessionState& state = own_.state;
  rewriter_.TransactionOver();
  if (unfit_) return Next::kFree;
  const bool own = state.touched() || state.has_resets() ||
                   (lease_->suspect != nullptr && state.pin() == nullptr);
  awaits_cancel_ = own && lease_.cancel_under_way();
  if (awaits_cancel_) return Next::kWait;
  if (state.touched()) {
    lease_->scanner.WantRows(true);
    row_.clear();
    row_came_ = false;
    Send(kQuestion, state.Question(*own_.parameters));
    return Next::kWait;
  }
  if (state.has_resets()) {
    const wire::ParametersRef restored = state.AfterResets(own_.parameters);
    if (restored != own_.parameters) {
      Send(kRestoration, wire::SettingsChange(*own_.parameters, *restored));
      own_.parameters = restored;
      own_.SettingsDone(*lease_);
      return Next::kWait;
    }
  }
  NotePin();
  if (state.pin() != nullptr) return Next::kWait;
  if (lease_->suspect != nullptr) {
    Reset();
    return Next::kWait;
  }
  return Next::kFree;
}

void Relay::NotePin() {
  const char* const pin = own_.state.pin();
  if (std::exchange(own_.noted_pin, pin) == pin || pin == nullptr) return;
  tools_.counts.pins.Count(pin);
  LogInfo("session keeps its backend client={} backend={} reason=\"{}\"", client_.peer.address,
          lease_->id().value, pin);
}

bool Relay::left_traces() const {
  const SessionState& state = own_.state;
  return state.touched() || state.pin() != nullptr || lease_->suspect != nullptr;
}

void Relay::Reset() {
  resetting_ = true;
  if (lease_->suspect != nullptr) tools_.counts.resets.Count(lease_->suspect);
  Send(kReset, "DISCARD ALL");
}

void Relay::Send(Own own, std::string_view sql) {
  releasing_ = own == kQuestion || own == kReset || own == kRestoration;
  lease_->tracker.OnRequest(Request::kQuery, wire::ReplyTracker::Answers::kSwallow, own);
  lease_->unnamed = pooler::Backend::kNoStatement;
  tools_.flight.clear();
  wire::AppendQuery(tools_.flight, sql);
  SendToBackend(wire::AsBytes(tools_.flight));
}

// In statement mode no transaction may stay open: the client gets an error in place of the
// ReadyForQuery that would say so.
bool Relay::RefusesTransaction(const wire::Frame& frame, wire::TransactionStatus status) {
  if (own_.mode != config::PoolMode::kStatement || frame.type != backend::kReadyForQuery ||
      status == wire::TransactionStatus::kIdle || discarding_) {
    return false;
  }
  violation_ = Error(sqlstate::kFeatureNotSupported,
                     "transaction blocks are not allowed in statement pooling mode");
  return true;
}

bool Relay::Free() const {
  const pooler::Backend& b = *lease_;
  return b.tracker.idle() && b.scanner.at_boundary() && b.unscanned.empty() &&
         to_backend_.empty() && scanner_.at_boundary() && !stalled_ && !backend_broken_;
}

// --- from the server to the client ---

Relay::Next Relay::ReadBackend() {
  net::Stream& stream = lease_->stream();
  if (!stream.readable() || !client_.output.empty()) return Next::kWait;
  const std::span<std::byte> scratch = client_.event.worker().scratch();
  std::string& unscanned = lease_->unscanned;
  const size_t kept = unscanned.size();
  std::copy_n(wire::AsBytes(unscanned).data(), kept, scratch.data());
  const net::IoResult got = stream.Read(scratch.subspan(kept));
  switch (got.state) {
    case net::IoState::kBlocked:
      return Next::kWait;
    case net::IoState::kClosed:
    case net::IoState::kFailed:
      return Next::kBackendLost;
    case net::IoState::kOk:
      return TakeReplies(scratch.first(kept + got.bytes)) ? Next::kYield : Next::kBackendLost;
  }
  return Next::kWait;
}

// Forwards what is the client's, in one piece.
bool Relay::TakeReplies(wire::Bytes in) {
  Splice answer(in, tools_.answer);
  wire::ReplyTracker& tracker = lease_->tracker;
  const TimePoint now = Clock::now();
  answered_at_ = TimePoint();
  size_t position = 0;
  // Of a message that was swallowed at its head, the rest is dropped as well.
  const size_t left = std::min<size_t>(lease_->scanner.body_left(), in.size());
  if (swallowing_body_ && left > 0) answer.Replace(0, left);
  std::string instead;
  wire::Frame frame;
  Step step;
  while ((step = lease_->scanner.Next(in, position, frame)) == Step::kFrame) {
    wire::TransactionStatus status = wire::TransactionStatus::kIdle;
    if (frame.type == backend::kReadyForQuery) {
      const auto read = wire::ReadReadyForQuery(frame.head);
      if (!read.ok()) return false;
      status = *read;
    }
    if (!replay_.empty() && EndsInVain(frame)) return false;  // to be done again elsewhere
    const uint32_t token = tracker.token();
    const wire::ReplyTracker::Verdict verdict = tracker.OnReply(frame.type, status);
    OnReply(frame, token, verdict == wire::ReplyTracker::Verdict::kSwallow, now);
    swallowing_body_ = (verdict == wire::ReplyTracker::Verdict::kSwallow &&
                        !(token == kRestoration && frame.type == backend::kParameterStatus)) ||
                       BeginsAnew(frame) || RefusesTransaction(frame, status);
    instead.clear();
    JointAnswer::Fate fate = JointAnswer::Fate::kForward;
    if (own_.joint != nullptr && !swallowing_body_) fate = own_.joint->OnMessage(frame, instead);
    swallowing_body_ = swallowing_body_ || fate == JointAnswer::Fate::kDrop;
    if (swallowing_body_) {
      answer.Replace(frame.offset, position);
    } else {
      again_.clear();
      if (fate == JointAnswer::Fate::kForward) PutInstead(frame, token, verdict, instead);
      if (instead.empty()) {
        watch_.OnReply(frame, now);
      } else {
        watch_.OnReplies(instead, now);
        answer.Replace(frame.offset, position) += instead;
      }
    }
    if (!tracker.settled().empty()) Settle();
  }
  if (step != Step::kMore) {
    LogError("server broke the protocol backend={} type={}", lease_->id().value,
             static_cast<int>(frame.type));
    return false;
  }
  AssignMostlyNothing(lease_->unscanned, wire::AsText(in.subspan(position)));
  Forward(answer.Result(position));
  if (beginning_anew_ && !lease_->tracker.outstanding()) {
    beginning_anew_ = false;
    const std::string request = std::exchange(again_, {});
    watch_.TakeAgain(!own_.goes_on());
    SendToBackend(TakeRequests(wire::AsBytes(request)));
  } else if (!lease_->tracker.outstanding() &&
             !(own_.joint != nullptr && own_.joint->goes_on_elsewhere())) {
    watch_.OnIdle();
  }
  return true;
}

// The plan of a prepared statement fits its tables no more: the server says so before it has done
// anything, so that outside a transaction the statement can be prepared anew and asked again.
bool Relay::BeginsAnew(const wire::Frame& frame) {
  if (frame.type == backend::kErrorResponse && stale_plan_ && !again_.empty()) {
    beginning_anew_ = true;
  }
  return beginning_anew_;
}

// What the client gets in place of the server's message; "" = that itself.
void Relay::PutInstead(const wire::Frame& frame, uint32_t token,
                       wire::ReplyTracker::Verdict verdict, std::string& instead) const {
  if (verdict == wire::ReplyTracker::Verdict::kAsParseComplete) {
    wire::AppendParseComplete(instead);
  } else if (frame.type == backend::kErrorResponse && frame.whole()) {
    instead = rewriter_.ErrorInstead(wire::AsText(frame.head), token);
  } else if (frame.type == backend::kParameterDescription && frame.whole()) {
    instead = rewriter_.DescriptionInstead(wire::AsText(frame.head), token);
  }
}

void Relay::OnReply(const wire::Frame& frame, uint32_t token, bool swallowed, TimePoint now) {
  switch (frame.type) {
    case backend::kParameterStatus:
      return OnParameterStatus(frame, token);
    case backend::kErrorResponse:
      return OnError(frame, token, swallowed);
    case backend::kDataRow:
      if (token == kQuestion) {
        auto row = wire::ReadDataRow(frame.head);
        row_came_ = row.ok();
        if (row.ok()) row_ = *std::move(row);
      }
      return;
    case backend::kCommandComplete:
      if (own_.pattern_counters == nullptr || swallowed) return;
      if (const auto tag = wire::ReadCommandTag(frame.head); tag.ok()) {
        own_.pattern_counters->AddRows(RowsOf(*tag));
      }
      return;
    case backend::kReadyForQuery:
      ++own_.answers;
      answered_at_ = now;
      if (swallowed) watch_.OnOwnReply(now);
      if (!swallowed && !beginning_anew_) NoteAnswer();
      if (!lease_->tracker.outstanding()) commit_under_way_ = false;
      if (own_.writes != nullptr) own_.writes->Ready(lease_->tracker);
      return;
    default:
      return;
  }
}

// What the server made of the client's settings is what the client has; not so when they are taken
// off the backend behind it.
void Relay::OnParameterStatus(const wire::Frame& frame, uint32_t token) {
  const auto status = wire::ReadParameterStatus(frame.head);
  if (!status.ok()) return;
  const bool shared = own_.parameters == nullptr || own_.parameters == lease_->parameters;
  lease_->Report(status->name, status->value);
  if (token == kReset) return;
  if (shared) {
    own_.parameters = lease_->parameters;
    return;
  }
  auto changed = std::make_shared<wire::Parameters>(*own_.parameters);
  changed->Report(status->name, status->value);
  own_.parameters = std::move(changed);
}

void Relay::OnError(const wire::Frame& frame, uint32_t token, bool swallowed) {
  const auto error = wire::ReadErrorFields(frame.head);
  if (!error.ok()) return;
  stale_plan_ = SaysStalePlan(*error, wire::AsText(frame.head));
  if (lease_->watch != nullptr && MakesSuspect(error->sqlstate)) lease_->watch->Suspect();
  if (swallowed && token != 0 && token < RequestRewriter::kFirstToken) {
    command_error_ = Error(error->sqlstate, error->message);
  }
  if (swallowed) {
    rewriter_.NoteOwnError(wire::AsText(frame.head), token);
  } else if (IsFatal(error->severity)) {
    told_fatal_ = true;
  }
}

// Requests with a token have ended.
void Relay::Settle() {
  wire::ReplyTracker& tracker = lease_->tracker;
  // Backwards: what was skipped is undone in that order.
  for (auto it = tracker.settled().rbegin(); it != tracker.settled().rend(); ++it) {
    const wire::ReplyTracker::Settled& settled = *it;
    switch (settled.token) {
      case kCommand:
        break;
      case kRestoration:
        releasing_ = false;
        command_error_ = absl::OkStatus();
        break;
      case kSettings:
        // With other settings than its own the client must not go on.
        if (!command_error_.ok()) {
          violation_ =
              Errorf(SqlStateOf(command_error_), "could not restore the session's settings: {}",
                     MessageOf(command_error_));
          lease_->suspect = "settings";
        }
        break;
      case kAgain:
        if (!command_error_.ok()) {
          violation_ = Errorf(SqlStateOf(command_error_),
                              "could not take the transaction to the node of its statement: {}",
                              MessageOf(command_error_));
        }
        break;
      case kQuestion:
        TakeAnswer();
        break;
      case kReset:
        releasing_ = resetting_ = false;
        unfit_ = !std::exchange(command_error_, absl::OkStatus()).ok();
        if (unfit_) break;
        lease_->suspect = nullptr;
        lease_->prepared.Clear();
        {
          auto fresh = std::make_shared<wire::Parameters>(*lease_->parameters);
          fresh->set_unreported({});
          lease_->parameters = std::move(fresh);
        }
        break;
      default:
        rewriter_.Settle(settled, *lease_, stale_plan_);
        break;
    }
  }
  tracker.ClearSettled();
  stale_plan_ = false;
  if (!tracker.outstanding()) rewriter_.Forget();
}

// Client and backend both have what the server says that the session has.
void Relay::TakeAnswer() {
  releasing_ = false;
  lease_->scanner.WantRows(false);
  SessionState& state = own_.state;
  if (!command_error_.ok() || !row_came_) {
    LogWarn("could not learn the session's state backend={} message=\"{}\"", lease_->id().value,
            MessageOf(command_error_));
    command_error_ = absl::OkStatus();
    state.PinForGood("state that can't be learnt");
    return;
  }
  auto learnt = std::make_shared<wire::Parameters>(*lease_->parameters);
  learnt->set_unreported(state.TakeAnswer(*own_.parameters, row_));
  if (own_.on_session_state != config::OnSessionState::kPin) {
    if (const char* left = state.Unpin(); left != nullptr) lease_->suspect = left;
  }
  // What nobody knows of it stays unknown.
  if (learnt->custom_settings() != 0 &&
      lease_->custom_settings != pooler::Backend::kUnknownSettings) {
    lease_->custom_settings = learnt->custom_settings();
  }
  lease_->parameters = learnt;
  own_.parameters = std::move(learnt);
}

void Relay::Forward(wire::Bytes bytes) {
  if (bytes.empty() || discarding_) return;
  replay_.clear();
  if (own_.capture != nullptr) own_.capture->Take(bytes);
  if (!client_.Send(bytes)) own_.gone = true;
}

// --- from the client to the server ---

bool Relay::TakesRequest() const {
  const wire::ReplyTracker& tracker = lease_->tracker;
  return !tools_.suspended && !own_.terminated && !releasing_ && !beginning_anew_ && !stalled_ &&
         !tracker.awaits_ready() && !tracker.copy_in() && scanner_.at_boundary() &&
         !(flushed_ && tracker.outstanding()) && to_backend_.empty() && client_.output.empty();
}

Relay::Next Relay::Go(wire::Bytes request) {
  NoteBegin(Clock::now());
  replay_.clear();
  again_.clear();
  SendToBackend(TakeRequests(request));
  return violation_.ok() ? Next::kYield : Next::kViolation;
}

void Relay::Refuse(wire::Bytes request, const Status& refusal) {
  NoteBegin(Clock::now());
  replay_.clear();
  again_.clear();
  Splice flight(request, tools_.flight);
  size_t position = 0;
  wire::Frame frame;
  bool refused = false;
  while (scanner_.Next(request, position, frame) == Step::kFrame) {
    const size_t end = std::min(frame.end(), request.size());
    watch_.OnRequest(frame, request, own_.state, *own_.parameters);
    if (frame.type == frontend::kSync) {
      lease_->tracker.OnRequest(Request::kSync);
    } else if (!refused) {
      refused = true;
      rewriter_.RefuseWith(frame, end, flight, *lease_, refusal);
    } else {
      flight.Replace(frame.offset, end);
    }
  }
  dropping_rest_ = !scanner_.at_boundary();
  SendToBackend(flight.Result(position));
}

void Relay::Withdraw() {
  tools_.flight.clear();
  if (lease_->tracker.batch_open()) {
    wire::AppendSync(tools_.flight);
    lease_->tracker.OnRequest(Request::kSync, wire::ReplyTracker::Answers::kSwallow);
    SendToBackend(wire::AsBytes(tools_.flight));
  }
  if (lease_->tracker.status() != wire::TransactionStatus::kIdle) Command("ROLLBACK");
}

// While it waits for answers, the client is read only to see whether it has gone.
Relay::Next Relay::LookForHangUp() {
  constexpr std::string_view kGoodbye("X\0\0\0\4", 5);
  if (!client_.stream.socket().hung_up()) return Next::kWait;
  while (client_.stream.readable() && client_.input.size() < Client::kMaxInput) {
    const std::span<std::byte> scratch = client_.event.worker().scratch();
    const net::IoResult got =
        client_.stream.Read(scratch.first(Client::kMaxInput - client_.input.size()));
    if (got.state == net::IoState::kBlocked) return Next::kWait;
    if (got.state != net::IoState::kOk) {
      return client_.input.ends_with(kGoodbye) ? Next::kWait : Next::kClientGone;
    }
    client_.counters->Add(Stat::kReceived, got.bytes);
    client_.input += wire::AsText(scratch.first(got.bytes));
  }
  return Next::kWait;
}

Relay::Next Relay::ReadClient() {
  const bool reads = !own_.guided || lease_->tracker.copy_in() || !scanner_.at_boundary();
  if (!reads) return lease_->tracker.awaits_ready() ? LookForHangUp() : Next::kWait;
  // What was read along with an earlier request, and not looked at since.
  const bool held = own_.guided && client_.input.size() != left_;
  const bool something =
      stalled_ ? !lease_->tracker.awaits_ready() : held || client_.stream.readable();
  if (tools_.suspended || own_.terminated || releasing_ || beginning_anew_ || !something ||
      !to_backend_.empty() || lease_->tracker.pending() > kMaxPending ||
      (alone_ && lease_->tracker.outstanding())) {
    return Next::kWait;
  }
  const std::span<std::byte> scratch = client_.event.worker().scratch();
  size_t size = client_.input.size();
  std::copy_n(wire::AsBytes(client_.input).data(), size, scratch.data());
  client_.input.clear();
  if (!std::exchange(stalled_, false) && !held) {
    const net::IoResult got = client_.stream.Read(scratch.subspan(size));
    if (got.state == net::IoState::kBlocked) {
      client_.input.assign(wire::AsText(scratch.first(size)));
      return Next::kWait;
    }
    if (got.state != net::IoState::kOk) return Next::kClientGone;
    client_.counters->Add(Stat::kReceived, got.bytes);
    size += got.bytes;
    const TimePoint now = Clock::now();
    NoteBegin(now);
    watch_.Receive(now);
  }
  replay_.clear();
  again_.clear();
  streaming_ = own_.guided;
  const bool behind_others = lease_->tracker.outstanding();
  SendToBackend(TakeRequests(scratch.first(size)));
  // Alone it would be done again without them.
  if (behind_others) replay_.clear();
  streaming_ = false;
  left_ = client_.input.size();
  return violation_.ok() ? Next::kYield : Next::kViolation;
}

// Notes every request in `in` and returns what goes to the server in its place. The start of a
// message that is not whole enough is kept; what follows a Terminate is dropped.
wire::Bytes Relay::TakeRequests(wire::Bytes in) {
  if (own_.writes != nullptr) NoteWrites(in);
  Splice flight(in, tools_.flight);
  if (!streaming_) rewriter_.BeginRequest();
  bool describes = false, others = false;
  describing_batch_ = false;
  size_t position = 0;
  if (dropping_rest_) {
    const size_t left = std::min<size_t>(scanner_.body_left(), in.size());
    flight.Replace(0, left);
    dropping_rest_ = left < scanner_.body_left();
  }
  wire::Frame frame;
  Step step;
  while ((step = scanner_.Next(in, position, frame)) == Step::kFrame) {
    // What comes behind a COPY or a long message is the session's to read.
    if (streaming_ && !lease_->tracker.copy_in()) {
      scanner_ = wire::FrameScanner(wire::ClientHead);
      position = frame.offset;
      step = Step::kMore;
      break;
    }
    if (frame.type == frontend::kTerminate) {
      own_.terminated = true;
      scanner_ = wire::FrameScanner(wire::ClientHead);
      client_.input.clear();
      return flight.Result(frame.offset);
    }
    flushed_ = frame.type == frontend::kFlush;
    describes = describes || frame.type == frontend::kDescribe;
    others = others || frame.type == frontend::kQuery || frame.type == frontend::kFunctionCall;
    if (frame.type == frontend::kSync) {
      describing_batch_ = describes && !others && position == in.size();
      others = true;  // what comes behind it is another batch
    }
    if (own_.mode == config::PoolMode::kSession) {
      NoteRequest(frame);
    } else if (!rewriter_.Take(frame, flight, *lease_, *own_.parameters)) {
      scanner_ = wire::FrameScanner(wire::ClientHead);
      position = frame.offset;
      stalled_ = true;
      step = Step::kMore;
      break;
    }
    if (rewriter_.TakeCommitSent()) commit_under_way_ = true;
    if (!own_.goes_on()) {
      const bool passes = own_.mode == config::PoolMode::kSession;
      watch_.OnRequest(frame, in, passes ? *own_.passed : own_.state, *own_.parameters);
    }
    if (frame.type == frontend::kQuery && frame.whole() && frame.offset == 0 &&
        position == in.size()) {
      const auto text = wire::ReadQuery(frame.head);
      if (text.ok() && wire::MayBeSentAgain(*text)) replay_.assign(wire::AsText(in));
    }
  }
  if (!lease_->tracker.settled().empty()) Settle();
  if (step != Step::kMore) violation_ = ProtocolViolation(step, frame.type);
  if (position < in.size()) client_.input.insert(0, wire::AsText(in.subspan(position)));
  return flight.Result(position);
}

// What isn't whole yet is noted as soon as it goes anywhere.
void Relay::NoteWrites(wire::Bytes in) {
  const size_t rest = std::min<size_t>(scanner_.body_left(), in.size());
  const ReadingContext context{own_.state, *own_.parameters, tools_.statements};
  own_.writes->Sending(ReadRequest(in.subspan(rest), context), context, lease_->tracker);
}

void Relay::NoteRequest(const wire::Frame& frame) {
  rewriter_.NotePassing(frame, *lease_, *own_.parameters);
  if (frame.type == frontend::kParse) {
    client_.counters->Add(Stat::kClientParses);
    client_.counters->Add(Stat::kServerParses);
  }
  if (frame.type == frontend::kBind) client_.counters->Add(Stat::kBinds);
  if (const auto request = wire::RequestOf(frame); request.has_value()) {
    lease_->tracker.OnRequest(*request);
  }
}

// A server that takes no more may still have something to say: its end is noticed when reading.
void Relay::SendToBackend(wire::Bytes bytes) {
  if (backend_broken_) return;
  const net::IoState state = to_backend_.Send(lease_->stream(), bytes);
  if (state != net::IoState::kFailed) return;
  backend_broken_ = true;
  to_backend_.Clear();
}

// --- pgweir's own statements ---

void Relay::Command(std::string_view sql) { Send(kCommand, sql); }

Relay::Next Relay::PumpBackendOnly() {
  if (!to_backend_.empty()) SendToBackend({});
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const Next next = ReadBackend();
    if (next != Next::kYield) return next;
  }
  return Next::kYield;
}

void Relay::CloseRequest() {
  wire::ReplyTracker& tracker = lease_->tracker;
  std::string messages;
  if (tracker.copy_in()) {
    wire::AppendCopyFail(messages, "the client is gone");
    tracker.OnRequest(Request::kCopyEnd);
  }
  if (tracker.batch_open()) {
    // A Sync alone would commit what the batch has done; an error before it undoes that.
    wire::AppendExecute(messages, "pgweir: the client is gone");
    tracker.OnRequest(Request::kExecute);
  }
  wire::AppendSync(messages);
  tracker.OnRequest(Request::kSync);
  SendToBackend(wire::AsBytes(messages));
}

}  // namespace pgweir::proxy
