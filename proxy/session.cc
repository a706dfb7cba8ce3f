#include "proxy/session.h"

#include <algorithm>

#include "base/log.h"
#include "pooler/pool_policy.h"
#include "proxy/error_response.h"
#include "proxy/spares.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::milliseconds kReplicaLook{200};  // while waiting for one of its backends
constexpr milliseconds kPingTimeout{5'000};
// How long a read waits for a backend when there is an old answer to it, which its rule allows.
constexpr milliseconds kOldAnswerAfter{1'000};
// One that was used more recently has not had the time to die unnoticed by its poller.
constexpr milliseconds kPeekAfter{1};
// How long a client that is told goodbye has to take it.
constexpr milliseconds kFarewell{5'000};

constexpr milliseconds kSettingsTimeout{10'000};
// How often to look whether a cancel request has been dealt with.
constexpr milliseconds kCancelLook{2};

// Whether the settings failed by something that another backend may not have: a connection that
// broke, or the time-out of the client before.
bool WorthAnotherBackend(const Status& status) {
  const std::string sqlstate = SqlStateOf(status);
  return sqlstate == sqlstate::kQueryCanceled || sqlstate == sqlstate::kConnectionFailure;
}

// Class 08, or a server that is not there (any more, or yet).
bool IsConnectionFailure(const Status& status) {
  const std::string state = SqlStateOf(status);
  return state.starts_with("08") || state.starts_with("57P");
}

Status ShuttingDown() {
  return Error(sqlstate::kAdminShutdown, "terminating connection: pgweir is shutting down");
}

}  // namespace

Session::Session(SessionId id, SessionHost& host, int fd, Peer peer)
    : id_(id),
      host_(host),
      client_(host.worker(), fd, std::move(peer)),
      requests_(client_),
      watch_(host.tools()) {}

Session::~Session() {
  FinishCancel();
  if (cancel_id_ == 0) return;
  host_.shared().cancel_keys.Withdraw(
      {cancel_id_, std::string(cancel_secret_.data(), cancel_secret_.size())});
}

net::Task<void> Session::ServeConsole() {
  co_await console_->Serve();
  if (MustEndNow()) co_await Say(EndReason());
}

net::Task<void> Session::Close() {
  client_.event.SetDeadline(Clock::now() + kFarewell);
  if (client_.output.Flush(client_.stream) == net::IoState::kBlocked &&
      host_.ending() != Ending::kNow) {
    co_await client_.Flush();
  }
  if (watch_.has_answered()) watch_.Sent(*own_.parameters);
  client_.stream.Shutdown();
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now() - connected_at_);
  LogInfoOrDebug(logged_in_ && host_.snapshot()->config().log.disconnections,
                 "closing because: client gone (age={}s) session={} client={}", age.count(),
                 id_.value, client_.peer.address);
}

net::Task<void> Session::Serve() { return console_ != nullptr ? ServeConsole() : ServeDatabase(); }

// Its frame is there for as long as the client is, so that what is rare has one of its own.
net::Task<void> Session::ServeDatabase() {
  while (true) {
    Step step = attached() ? Carry() : TakeRequest();
    if (step.sequence.has_value()) {
      if (!co_await *std::move(step.sequence)) co_return;
    } else if (step.waits) {
      co_await client_.event.Wait();
    }
  }
}

Session::Step Session::Carry() {
  if (!killed_.ok()) return DieNow();
  if (cancel_ != nullptr) ForwardCancel();
  const Relay::Next next = relay().Pump();
  NoteSent();
  if (cached_ != nullptr && cached_->answer_is_over()) KeepAnswer();
  switch (next) {
    case Relay::Next::kFree:
      GiveBack();
      return {};
    case Relay::Next::kYield:
      client_.event.Set();
      return Wait();
    case Relay::Next::kWait:
      break;
    default:
      return Leave(next);
  }
  RequestReader::State state = RequestReader::State::kWait;
  if (guides() && relay().TakesRequest()) {
    const wire::ReplyTracker& tracker = relay().lease()->tracker;
    requests_.set_standing({tracker.status(), tracker.batch_open() || tracker.skipping()});
    wire::Bytes request;
    state = NextRequest(request);
    if (state == RequestReader::State::kReady) return GoOn(request);
  }
  if (auto end = EndFor(state); end.has_value()) return *std::move(end);
  if (relay().awaits_cancel()) client_.event.SetDeadline(Clock::now() + kCancelLook);
  return Wait();
}

Session::Step Session::TakeRequest() {
  if (sharded() && !sharding_->onward.empty()) return CarryOn();
  if (guides()) requests_.set_standing({Standing()});
  wire::Bytes request;
  const RequestReader::State state = NextRequest(request);
  NoteSent();
  if (state == RequestReader::State::kReady) return Begin(request);
  FinishCancel();
  if (auto end = EndFor(state); end.has_value()) return *std::move(end);
  watch_.Rest();
  return Wait();
}

std::optional<net::Task<bool>> Session::EndFor(RequestReader::State state) {
  if (state == RequestReader::State::kViolation) return End(requests_.violation());
  if (state == RequestReader::State::kEnded) return End(absl::OkStatus());
  if (MustEnd()) return End(EndReason());
  if (Status late = CheckTime(); !late.ok()) return End(std::move(late));
  return std::nullopt;
}

Session::Step Session::Begin(wire::Bytes request) {
  const TimePoint now = Clock::now();
  watch_.Receive(now);
  watch_.ForgetPlace();
  if (const Status chosen = ChooseServer(request); !chosen.ok()) {
    Reject(request, chosen);
    return {};
  }
  if (holds_begin() && First().empty()) return {};  // it has just been answered
  if (cached_ != nullptr && cached_->answered) return {};
  if (cached_ != nullptr && cached_->waiting) {
    return AwaitAnswer(std::string(wire::AsText(request)));
  }
  if (sharded() && sharding_->everywhere) {
    return ChangeSchema(std::string(wire::AsText(request)));
  }
  if (sharded() && own_.joint != nullptr) {
    return Obtain(PartHere(std::string(wire::AsText(request))), TryAcquire());
  }
  if (sharded() && NeedsNumbers()) {
    return BeginWithNumbers(std::string(wire::AsText(request)));
  }
  pooler::Lease lease = TryAcquire();
  if (lease && own_.Suits(*lease) && SeemsGood(*lease, now) && own_.Agrees(*lease)) {
    Attach(std::move(lease));
    if (SendFirst(request, now)) return {};
    Drop();
    Rewind();
    lease = pooler::Lease();
  }
  return Obtain(std::string(wire::AsText(request)), std::move(lease));
}

net::Task<bool> Session::End(Status reason) {
  if (!reason.ok()) co_await Say(std::move(reason));
  co_await CleanUp();
  co_return false;
}

net::Task<bool> Session::GoOn(wire::Bytes request) {
  watch_.Receive(Clock::now());
  host_.Refresh();
  const wire::ReplyTracker& tracker = relay().lease()->tracker;
  const bool fresh = tracker.status() == wire::TransactionStatus::kIdle && !tracker.batch_open();
  // There it is only said that the transaction has failed.
  const bool failed = tracker.status() == wire::TransactionStatus::kFailed;
  if (sharded()) {
    if (fresh) sharding_->BeginTransaction(*own_.parameters);
    if (failed) sharding_->transaction.movable = false;
    sharding_->numbers = {};
    sharding_->part.Clear();
  }
  if (!failed && !tracker.skipping()) {
    const RequestContents contents = ReadRequest(request, Reading());
    if (sharded() && !StaysHere(request, contents)) co_return true;
    if (cached_ != nullptr && cached_->in_transactions && AnswersInTransaction(request, contents)) {
      co_return true;
    }
    if (sharded() && NeedsNumbers()) {
      co_return co_await GoOnWithNumbers(std::string(wire::AsText(request)));
    }
  }
  if (sharded()) relay().Give(sharding_->numbers, sharding_->part);
  const Relay::Next next = relay().Go(request);
  co_return next != Relay::Next::kViolation || co_await Leave(next);
}

bool Session::SendFirst(wire::Bytes request, TimePoint now) {
  const bool refused = sharded() && !sharding_->refusal.ok();
  if (sharded()) relay().Give(sharding_->numbers, sharding_->part);
  if (own_.goes_on()) {
    watch_.AddPlace(PlaceOf(*at_));
  } else {
    watch_.set_place(PlaceOf(*at_));
  }
  const bool repeatable = at_choice() || (cached_ != nullptr && cached_->may_retry());
  if (!relay().Begin(refused ? wire::Bytes() : request, now, repeatable, First())) return false;
  if (refused) relay().Refuse(request, sharding_->refusal);
  if (sharded()) sharding_->transaction.held = false;
  return true;
}

RequestReader::State Session::NextRequest(wire::Bytes& request) {
  if (!killed_.ok()) return RequestReader::State::kWait;
  if (!host_.tools().suspended) return requests_.Poll(request);
  // What is to be sent is sent all the same.
  const bool gone =
      !client_.output.empty() && client_.output.Flush(client_.stream) == net::IoState::kFailed;
  return gone ? RequestReader::State::kEnded : RequestReader::State::kWait;
}

void Session::Rewind() {
  requests_.Rewind();
  watch_.TakeAgain(!own_.goes_on());
}

void Session::Accept(wire::Bytes request, std::string_view answer) {
  watch_.OnRequests(request, own_.state, *own_.parameters);
  watch_.OnReplies(answer, Clock::now());
  requests_.Accept(request, answer);
}

void Session::Reject(wire::Bytes request, const Status& error) {
  // Else its first parts have been under way.
  if (!own_.goes_on()) watch_.OnRequests(request, own_.state, *own_.parameters);
  watch_.OnReject(error, Clock::now());
  requests_.Reject(request, error);
}

void Session::NoteSent() {
  if (!client_.output.empty()) {
    watch_.Blocked();
  } else if (watch_.has_answered()) {
    watch_.Sent(*own_.parameters);
  }
}

StatementWatch::Place Session::PlaceOf(const Node& node) const {
  StatementWatch::Place place;
  place.node = node.name;
  if (sharded()) place.bit = sharding_->map->Find(node.name);
  const bool primary = pool_ == node.primary;
  place.role = primary ? observe::NodeRole::kPrimary : observe::NodeRole::kReplica;
  if (attached()) {
    place.server_pid = static_cast<uint32_t>(relay().lease()->process_id());
  }
  return place;
}

void Session::Attach(pooler::Lease lease) {
  carrying_ = TakeSpare(host_.spare_relays());
  carrying_->relay.emplace(own_, client_, requests_.scanner(), host_.tools(),
                           host_.shared().statements, watch_, carrying_->buffers, std::move(lease));
}

void Session::Drop() {
  relay().Drop();
  Detach();
}

void Session::Detach() {
  carrying_->relay.reset();
  carrying_->buffers.Clear();
  GiveSpare(host_.spare_relays(), carrying_);
}

pooler::Lease Session::TryAcquire() {
  return pool_->TryAcquire(client_.event, own_.custom_settings());
}

net::Task<bool> Session::Obtain(std::string request, pooler::Lease lease) {
  while (true) {
    if (!lease) {
      auto acquired = co_await AwaitLease();
      if (!acquired.ok()) {
        const Status reason = acquired.status();
        if (absl::IsCancelled(reason)) co_return false;
        if (at_choice() && !MustEnd() && IsConnectionFailure(reason)) {
          TakePrimary();
          continue;
        }
        if (MustEnd()) {
          co_await Say(reason);
          co_return false;
        }
        // Its transaction has begun elsewhere, and is there no more.
        if (!First().empty()) {
          co_await Say(reason);
          co_return false;
        }
        if (sharded()) sharding_->onward.clear();
        if (AnswerStale(wire::AsBytes(request), reason)) co_return true;
        if (cached_ != nullptr) cached_->Forget();
        Reject(wire::AsBytes(request), reason);
        co_return true;
      }
      lease = *std::move(acquired);
    }
    if (!own_.Suits(*lease)) {
      LogInfo("closing because: it knows settings that its next client does not have backend={}",
              lease->id().value);
      lease.Discard();
      continue;
    }
    Attach(std::move(lease));
    if (SeemsGood(*relay().lease(), Clock::now()) || co_await CheckAlive()) {
      Status agreed;
      if (!own_.Agrees(*relay().lease())) agreed = co_await Agree();
      const TimePoint now = Clock::now();
      watch_.Mark(observe::Moment::kSent, now);
      if (agreed.ok() && SendFirst(wire::AsBytes(request), now)) co_return true;
      if (agreed.ok()) Rewind();
      if (!agreed.ok() && !WorthAnotherBackend(agreed)) {
        Drop();
        co_await Say(agreed);
        co_return false;
      }
    }
    Drop();
    lease = TryAcquire();
  }
}

// Gives the backend the settings that the client must not work without.
net::Task<Status> Session::Agree() {
  const std::string sql = own_.SettingsFirst(*relay().lease());
  if (sql.empty()) co_return absl::OkStatus();
  const Status set = co_await RunCommand(sql, Clock::now() + kSettingsTimeout);
  if (set.ok()) {
    own_.SettingsDone(*relay().lease());
    co_return set;
  }
  co_return Errorf(SqlStateOf(set), "could not restore the session's settings: {}", MessageOf(set));
}

// Waits in the pool's queue until there is a backend or a reason to stop waiting; absl::Cancelled
// when the client has gone.
net::Task<StatusOr<pooler::Lease>> Session::AwaitLease() {
  pooler::Pool::Waiting waiting(*pool_, client_.event);
  waiting_since_ = Clock::now();
  const config::Pool limits = pool_->limits();
  const bool has_old_answer = cached_ != nullptr && cached_->stale != nullptr;
  const TimePoint until = std::min(DeadlineAfter(limits.wait_timeout),
                                   has_old_answer ? Clock::now() + kOldAnswerAfter : kNoDeadline);
  TimePoint notify_at = logged_in_ ? DeadlineAfter(limits.query_wait_notify) : kNoDeadline;
  StatusOr<pooler::Lease> outcome = pooler::Lease();
  while (true) {
    outcome = waiting.Poll();
    if (!outcome.ok() || *outcome) break;
    if (client_.stream.socket().hung_up()) {
      outcome = absl::CancelledError("client gone");
    } else if (MustEnd()) {
      outcome = EndReason();
    } else if (cancel_ != nullptr) {
      FinishCancel();
      outcome = Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    } else if (Clock::now() >= until) {
      outcome = waiting.TimedOut();
    } else if (at_choice() && at_->copies->PickIsOut()) {
      outcome = Error(sqlstate::kConnectionFailure, "the replica is not usable any more");
    } else {
      if (Clock::now() >= notify_at) {
        notify_at = kNoDeadline;
        SayThatItWaits();
      }
      const TimePoint look_at = at_choice() ? Clock::now() + kReplicaLook : kNoDeadline;
      client_.event.SetDeadline(std::min({until, notify_at, look_at}));
      co_await client_.event.Wait();
      continue;
    }
    break;
  }
  client_.event.SetDeadline(kNoDeadline);
  const TimePoint now = Clock::now();
  client_.counters->Add(Stat::kWaitTime, now - waiting_since_);
  watch_.Mark(observe::Moment::kGranted, now);
  // It was opened meanwhile, so for whoever waited.
  if (outcome.ok() && *outcome && (*outcome)->opened_at > waiting_since_) {
    watch_.AddConnecting((*outcome)->opened_at - waiting_since_);
  }
  waiting_since_ = kNoDeadline;
  co_return outcome;
}

Status Session::CheckTime() {
  using Exceeded = TimeLimits::Exceeded;
  if (time_limits_ == nullptr) return absl::OkStatus();
  TimeLimits::Doing doing;
  if (attached()) {
    const wire::ReplyTracker& tracker = relay().lease()->tracker;
    doing.working = tracker.outstanding();
    doing.answers = own_.answers;
    doing.in_transaction = tracker.status() != wire::TransactionStatus::kIdle;
  } else {
    doing.in_transaction = holds_begin();
  }
  const Exceeded exceeded = time_limits_->Watch(doing, Clock::now());
  client_.event.SetDeadline(time_limits_->next());
  switch (exceeded) {
    case Exceeded::kNothing:
      break;
    case Exceeded::kQuery:
      LogInfo("query_timeout: cancelling session={} backend={}", id_.value,
              relay().lease()->id().value);
      if (!relay().lease()->tracker.swallowing()) pool_->Cancel(*relay().lease(), [] {});
      break;
    case Exceeded::kQueryForLong:
      return Error(sqlstate::kQueryCanceled,
                   "terminating connection: a statement did not end when it was cancelled after "
                   "pool.query_timeout");
    case Exceeded::kTransaction:
      return Error(sqlstate::kTransactionTimeout,
                   "terminating connection due to transaction timeout (pool.transaction_timeout)");
    case Exceeded::kIdleInTransaction:
      return Error(sqlstate::kIdleInTransactionTimeout,
                   "terminating connection due to idle-in-transaction timeout "
                   "(pool.idle_transaction_timeout)");
    case Exceeded::kIdle:
      return Error(sqlstate::kIdleSessionTimeout,
                   "terminating connection due to idle-session timeout (pool.client_idle_timeout)");
  }
  return absl::OkStatus();
}

// Without waiting: it has just been used, or a look at its socket is enough.
bool Session::SeemsGood(pooler::Backend& backend, TimePoint now) const {
  if (now - backend.idle_since <= kPeekAfter) return true;
  return !WantsPing(backend, now) && !backend.stream().tls() &&
         backend.stream().socket().QuietAndOpen();
}

bool Session::WantsPing(const pooler::Backend& backend, TimePoint now) const {
  return now - backend.idle_since > pooler::kPingAfter && pool_->limits().pre_ping;
}

// Whether the attached backend, which does not seem so, is good all the same.
net::Task<bool> Session::CheckAlive() {
  pooler::Backend& backend = *relay().lease();
  if (WantsPing(backend, Clock::now())) {
    const Status answer = co_await RunCommand("", Clock::now() + kPingTimeout);
    co_return answer.ok();
  }
  backend.stream().socket().NoteReadable();
  co_return pooler::DrainUnasked(backend, host_.worker().scratch());
}

net::Task<bool> Session::Leave(Relay::Next reason) {
  if (reason == Relay::Next::kBackendLost && relay().lease()->watch != nullptr) {
    relay().lease()->watch->Suspect();
  }
  if (reason == Relay::Next::kBackendLost && !relay().replay().empty()) {
    std::string request = relay().replay();
    Drop();
    Rewind();
    if (cached_ != nullptr) cached_->retried = true;
    if (at_choice()) TakePrimary();
    co_return co_await Obtain(std::move(request), pooler::Lease());
  }
  // What the client has is known, and nothing of it was under way.
  if (reason == Relay::Next::kBackendLost && relay().resetting()) {
    Drop();
    co_return true;
  }
  if (reason == Relay::Next::kBackendLost) {
    LogWarn("server connection lost session={} backend={} told={}", id_.value,
            relay().lease()->id().value, relay().told_fatal());
    if (!relay().told_fatal()) {
      if (relay().commit_under_way()) {
        host_.tools().counts.doubts.Count("COMMIT whose answer was lost");
      }
      const Status lost =
          relay().commit_under_way()
              ? Error(sqlstate::kTransactionResolutionUnknown,
                      "the server connection was lost while a COMMIT was under way: it may or may "
                      "not have been carried out")
              : Error(sqlstate::kConnectionFailure,
                      "the server connection was lost while it was in use");
      co_await Say(lost);
    }
    Detach();
    co_return false;
  }
  if (reason == Relay::Next::kViolation) co_await Say(relay().violation());
  co_await CleanUp();
  co_return false;
}

// A client in the middle of its login is not waited for.
void Session::Poke() {
  if (!logged_in_ && MustEnd()) client_.event.SetDeadline(Clock::now());
  if (console_ != nullptr && MustEndNow()) console_->End();
  client_.event.Set();
}

void Session::Kill(Status reason) {
  killed_ = std::move(reason);
  Poke();
}

bool Session::MustEnd() const {
  if (MustEndNow()) return true;
  if (host_.ending() != Ending::kWhenFree || holds_begin()) return false;
  return !attached() || relay().Free();
}

wire::TransactionStatus Session::Standing() const {
  if (attached()) return relay().lease()->tracker.status();
  return holds_begin() ? wire::TransactionStatus::kInTransaction : wire::TransactionStatus::kIdle;
}

Status Session::EndReason() const { return killed_.ok() ? ShuttingDown() : killed_; }

// The backend goes first: what it does is not to be waited for. Its client is told in words only
// where these don't stand amid a message.
net::Task<bool> Session::DieNow() {
  const bool amid_message =
      !relay().lease()->scanner.at_boundary() || !relay().lease()->unscanned.empty();
  if (relay().lease()->tracker.outstanding()) pool_->Cancel(*relay().lease(), [] {});
  Drop();
  watch_.OnEnd(killed_, Clock::now());
  if (!amid_message) co_await Say(killed_);
  co_return false;
}

void Session::Cancel(std::shared_ptr<CancelTicket> ticket) {
  if (console_ != nullptr) {
    console_->Cancel();
    return CancelTicket::Finish(std::move(ticket));
  }
  FinishCancel();  // of two at once, one is enough
  cancel_ = std::move(ticket);
  client_.event.Set();
}

// Passes the cancel request on while the backend works for the client. Work of pgweir's own is not
// to be hit: the request waits until that is over.
void Session::ForwardCancel() {
  const wire::ReplyTracker& tracker = relay().lease()->tracker;
  if (tracker.swallowing()) return;
  if (!tracker.outstanding()) return FinishCancel();
  host_.worker().sends().Flush();  // what is to be cancelled
  pool_->Cancel(*relay().lease(), [ticket = std::move(cancel_)]() mutable {
    CancelTicket::Finish(std::move(ticket));
  });
  cancel_ = nullptr;
}

void Session::FinishCancel() {
  if (cancel_ != nullptr) CancelTicket::Finish(std::exchange(cancel_, nullptr));
}

// Where the client's socket takes nothing more just now, it is left out.
void Session::SayThatItWaits() {
  std::string notice;
  wire::AppendNoticeResponse(
      notice, {.severity = "NOTICE",
               .sqlstate = sqlstate::kSuccessfulCompletion,
               .message = "no server connection is free yet: the statement waits for one"});
  if (client_.output.empty()) client_.Send(notice);
}

net::Task<void> Session::Say(Status reason) {
  watch_.OnEnd(reason, Clock::now());
  std::string message;
  AppendError(message, Severity::kFatal, reason);
  if (!client_.Send(message)) co_return;
  client_.event.SetDeadline(Clock::now() + kFarewell);
  co_await client_.Flush();
  client_.event.SetDeadline(kNoDeadline);
}

}  // namespace pgweir::proxy
