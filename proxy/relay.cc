#include "proxy/relay.h"

#include <algorithm>
#include <functional>

#include "base/log.h"
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

bool IsFatal(std::string_view severity) { return severity == "FATAL" || severity == "PANIC"; }

}  // namespace

void Relay::Attach(pooler::Lease lease) {
  lease_ = std::move(lease);
  to_backend_.Clear();
  replay_.clear();
  swallowing_body_ = false;
  told_fatal_ = false;
  commit_under_way_ = false;
  backend_broken_ = false;
}

bool Relay::Begin(wire::Bytes request) {
  const std::string settings = AgreeOnSettings();
  if (!settings.empty()) {
    lease_->tracker.OnRequest(Request::kQuery, wire::ReplyTracker::Answers::kSwallow);
  }
  const wire::Bytes understood = TakeRequests(request);
  if (settings.empty()) return SendFirst(understood);
  std::string flight;
  wire::AppendQuery(flight, settings);
  flight.append(wire::AsText(understood));
  return SendFirst(wire::AsBytes(flight));
}

// The statements that the backend needs before the client's; mostly none.
std::string Relay::AgreeOnSettings() {
  wire::ParametersRef& theirs = lease_->parameters;
  if (parameters == nullptr || parameters == theirs) return "";
  if (*parameters == *theirs) {
    // Of two equal objects all go over to the one that comes first in memory, so that soon every
    // client and backend holds the same one and the comparison is one of pointers.
    const bool ours_first = std::less<>()(parameters.get(), theirs.get());
    (ours_first ? theirs : parameters) = ours_first ? parameters : theirs;
    return "";
  }
  std::string sql = wire::SettingsChange(*theirs, *parameters);
  if (theirs->unreported() != parameters->unreported()) {
    auto changed = std::make_shared<wire::Parameters>(*theirs);
    changed->set_unreported(parameters->unreported());
    theirs = std::move(changed);
  }
  return sql;
}

bool Relay::SendFirst(wire::Bytes bytes) {
  const net::IoResult put = lease_->stream().Write(bytes);
  if (put.state == net::IoState::kFailed) return false;
  SendToBackend(bytes.subspan(put.bytes));
  return true;
}

Relay::Next Relay::Pump() {
  if (!client_.output.empty() && client_.output.Flush(client_.stream) == net::IoState::kFailed) {
    client_gone_ = true;
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
  if (client_gone_) return Next::kClientGone;
  // A client that said Terminate waits for nothing but what it has asked for before.
  if (terminated_ && (tracker.copy_in() || !tracker.awaits_ready())) return Next::kClientGone;
  if (mode_ == config::PoolMode::kSession) return Next::kWait;
  if (!violation_.ok()) return Next::kViolation;
  return Free() ? Next::kFree : Next::kWait;
}

// In statement mode no transaction may stay open: the client gets an error in place of the
// ReadyForQuery that would say so.
bool Relay::RefusesTransaction(const wire::Frame& frame, wire::TransactionStatus status) {
  if (mode_ != config::PoolMode::kStatement || frame.type != backend::kReadyForQuery ||
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
         to_backend_.empty() && scanner_.at_boundary() && !backend_broken_;
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

// Forwards what is the client's in as few pieces as there are messages between that are not.
bool Relay::TakeReplies(wire::Bytes in) {
  size_t position = 0;
  // Of a message that was swallowed at its head, the rest is dropped as well.
  size_t forward_from =
      swallowing_body_ ? std::min<size_t>(lease_->scanner.body_left(), in.size()) : 0;
  wire::Frame frame;
  Step step;
  while ((step = lease_->scanner.Next(in, position, frame)) == Step::kFrame) {
    const auto status = frame.type == backend::kReadyForQuery
                            ? wire::ReadReadyForQuery(frame.head)
                            : StatusOr<wire::TransactionStatus>(wire::TransactionStatus::kIdle);
    if (!status.ok()) return false;
    const bool swallowed =
        lease_->tracker.OnReply(frame.type, *status) == wire::ReplyTracker::Verdict::kSwallow ||
        RefusesTransaction(frame, *status);
    if (frame.type == backend::kErrorResponse && !replay_.empty()) {
      const auto error = wire::ReadErrorFields(frame.head);
      if (error.ok() && IsFatal(error->severity)) return false;  // to be done again elsewhere
    }
    OnReply(frame, swallowed);
    swallowing_body_ = swallowed;
    if (!swallowed) continue;
    Forward(in.subspan(forward_from, frame.offset - forward_from));
    forward_from = position;
  }
  if (step != Step::kMore) {
    LogError("server broke the protocol backend={} type={}", lease_->id().value,
             static_cast<int>(frame.type));
    return false;
  }
  lease_->unscanned.assign(wire::AsText(in.subspan(position)));
  if (position > forward_from) Forward(in.subspan(forward_from, position - forward_from));
  return true;
}

void Relay::OnReply(const wire::Frame& frame, bool swallowed) {
  switch (frame.type) {
    case backend::kParameterStatus: {
      const auto status = wire::ReadParameterStatus(frame.head);
      if (!status.ok()) return;
      auto changed = std::make_shared<wire::Parameters>(*lease_->parameters);
      changed->Report(status->name, status->value);
      lease_->parameters = changed;
      // What the server made of the client's own settings is what the client has.
      parameters = std::move(changed);
      return;
    }
    case backend::kErrorResponse: {
      const auto error = wire::ReadErrorFields(frame.head);
      if (!error.ok()) return;
      if (swallowed) command_error_ = Error(error->sqlstate, error->message);
      if (!swallowed && IsFatal(error->severity)) told_fatal_ = true;
      return;
    }
    case backend::kReadyForQuery:
      if (!lease_->tracker.outstanding()) commit_under_way_ = false;
      return;
    default:
      return;
  }
}

void Relay::Forward(wire::Bytes bytes) {
  if (bytes.empty() || discarding_) return;
  replay_.clear();
  if (!client_.Send(bytes)) client_gone_ = true;
}

// --- from the client to the server ---

Relay::Next Relay::ReadClient() {
  if (terminated_ || !client_.stream.readable() || !to_backend_.empty() ||
      lease_->tracker.pending() > kMaxPending) {
    return Next::kWait;
  }
  const std::span<std::byte> scratch = client_.event.worker().scratch();
  const size_t kept = client_.input.size();
  std::copy_n(wire::AsBytes(client_.input).data(), kept, scratch.data());
  const net::IoResult got = client_.stream.Read(scratch.subspan(kept));
  switch (got.state) {
    case net::IoState::kBlocked:
      return Next::kWait;
    case net::IoState::kClosed:
    case net::IoState::kFailed:
      return Next::kClientGone;
    case net::IoState::kOk:
      break;
  }
  replay_.clear();
  SendToBackend(TakeRequests(scratch.first(kept + got.bytes)));
  return violation_.ok() ? Next::kYield : Next::kViolation;
}

// Notes every request in `in` and returns the part that goes to the server. The start of a message
// that is not whole enough is kept; what follows a Terminate is dropped.
wire::Bytes Relay::TakeRequests(wire::Bytes in) {
  size_t position = 0;
  wire::Frame frame;
  Step step;
  while ((step = scanner_.Next(in, position, frame)) == Step::kFrame) {
    if (frame.type == frontend::kTerminate) {
      terminated_ = true;
      scanner_ = wire::FrameScanner(wire::ClientHead);
      client_.input.clear();
      return in.first(frame.offset);
    }
    NoteRequest(frame);
    if (frame.type == frontend::kQuery && frame.whole() && frame.offset == 0 &&
        position == in.size()) {
      const auto text = wire::ReadQuery(frame.head);
      if (text.ok() && wire::MayBeSentAgain(*text)) replay_.assign(wire::AsText(in));
    }
  }
  if (step != Step::kMore) violation_ = ProtocolViolation(step, frame.type);
  std::string rest(wire::AsText(in.subspan(position)));
  client_.input = std::move(rest);
  return in.first(position);
}

void Relay::NoteRequest(const wire::Frame& frame) {
  wire::ReplyTracker& tracker = lease_->tracker;
  switch (frame.type) {
    case frontend::kQuery:
      if (wire::MayCommit(wire::AsText(frame.head))) commit_under_way_ = true;
      return tracker.OnRequest(Request::kQuery);
    case frontend::kParse:
      NoteParse(frame.head);
      return tracker.OnRequest(Request::kParse);
    case frontend::kBind:
      NoteBind(frame.head);
      return tracker.OnRequest(Request::kBind);
    case frontend::kDescribe:
      return tracker.OnRequest(!frame.head.empty() && frame.head[0] == std::byte{'S'}
                                   ? Request::kDescribeStatement
                                   : Request::kDescribePortal);
    case frontend::kExecute:
      return tracker.OnRequest(Request::kExecute);
    case frontend::kClose:
      return tracker.OnRequest(Request::kClose);
    case frontend::kSync:
      return tracker.OnRequest(Request::kSync);
    case frontend::kFunctionCall:
      return tracker.OnRequest(Request::kFunctionCall);
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      return tracker.OnRequest(Request::kCopyEnd);
    default:
      return;  // CopyData and Flush are answered by nothing of their own
  }
}

// Parse begins with the statement's name, then its text.
void Relay::NoteParse(wire::Bytes head) {
  const std::string_view text = wire::AsText(head);
  const size_t end = text.find('\0');
  if (end == std::string_view::npos) return;
  const std::string_view name = text.substr(0, end);
  if (wire::MayCommit(text.substr(end + 1))) {
    if (committing_.size() < 64) committing_.insert(std::string(name));
  } else if (!committing_.empty()) {
    committing_.erase(name);
  }
}

// Bind begins with the portal's name, then the statement's.
void Relay::NoteBind(wire::Bytes head) {
  if (committing_.empty()) return;
  const std::string_view text = wire::AsText(head);
  const size_t portal_end = text.find('\0');
  if (portal_end == std::string_view::npos) return;
  const std::string_view rest = text.substr(portal_end + 1);
  if (committing_.contains(rest.substr(0, rest.find('\0')))) commit_under_way_ = true;
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

void Relay::Command(std::string_view sql) {
  lease_->tracker.OnRequest(Request::kQuery, wire::ReplyTracker::Answers::kSwallow);
  std::string message;
  wire::AppendQuery(message, sql);
  SendToBackend(wire::AsBytes(message));
}

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
