#include "proxy/session.h"

#include "base/log.h"
#include "proxy/error_response.h"

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;

// A backend that has been idle for longer is asked whether it still answers (pool.pre_ping).
constexpr milliseconds kPingAfter{30'000};
constexpr milliseconds kPingTimeout{5'000};
// One that was used more recently has not had the time to die unnoticed by its poller.
constexpr milliseconds kPeekAfter{1};
// How long a client that is told goodbye has to take it.
constexpr milliseconds kFarewell{5'000};

Status ShuttingDown() {
  return Error(sqlstate::kAdminShutdown, "terminating connection: pgweir is shutting down");
}

}  // namespace

Session::Session(SessionId id, SessionHost& host, int fd, Peer peer)
    : id_(id),
      host_(host),
      client_(host.worker(), fd, std::move(peer)),
      requests_(client_),
      relay_(client_, requests_.scanner()) {}

Session::~Session() {
  FinishCancel();
  if (cancel_process_id_ != 0) host_.shared().cancel_keys.Withdraw(cancel_process_id_);
}

net::Task<void> Session::Run() {
  if (co_await LogIn()) co_await Serve();
  client_.event.SetDeadline(Clock::now() + kFarewell);
  if (!client_.output.empty() && host_.ending() != Ending::kNow) co_await client_.Flush();
  client_.stream.Shutdown();
  LogDebug("client gone session={} client={}", id_.value, client_.peer.address);
}

net::Task<void> Session::Serve() {
  while (true) {
    while (relay_.attached()) {
      if (cancel_ != nullptr) ForwardCancel();
      const Relay::Next next = relay_.Pump();
      if (next == Relay::Next::kFree) {
        relay_.lease().Return();
      } else if (next == Relay::Next::kWait) {
        if (MustEnd()) {
          co_await Say(ShuttingDown());
          co_await CleanUp();
          co_return;
        }
        co_await client_.event.Wait();
      } else if (next == Relay::Next::kYield) {
        client_.event.Set();
        co_await client_.event.Wait();
      } else if (!co_await Leave(next)) {
        co_return;
      }
    }

    wire::Bytes request;
    const RequestReader::State state = requests_.Poll(request);
    if (state == RequestReader::State::kEnded) co_return;
    if (state == RequestReader::State::kViolation) {
      co_await Say(requests_.violation());
      co_return;
    }
    if (state == RequestReader::State::kWait) {
      FinishCancel();
      if (MustEnd()) {
        co_await Say(ShuttingDown());
        co_return;
      }
      co_await client_.event.Wait();
      continue;
    }

    pooler::Lease lease = pool_->TryAcquire(client_.event);
    if (lease && !NeedsCheck(*lease)) {
      relay_.Attach(std::move(lease));
      if (relay_.Begin(request)) continue;
      relay_.lease().Discard();
      requests_.Rewind();
      lease = pooler::Lease();
    }
    std::string kept(wire::AsText(request));
    if (!co_await Obtain(std::move(kept), std::move(lease))) co_return;
  }
}

net::Task<bool> Session::Obtain(std::string request, pooler::Lease lease) {
  while (true) {
    if (!lease) {
      auto acquired = co_await AwaitLease();
      if (!acquired.ok()) {
        const Status reason = acquired.status();
        if (absl::IsCancelled(reason)) co_return false;
        if (MustEnd()) {
          co_await Say(reason);
          co_return false;
        }
        requests_.Reject(wire::AsBytes(request), reason);
        co_return true;
      }
      lease = *std::move(acquired);
    }
    relay_.Attach(std::move(lease));
    if (!NeedsCheck(*relay_.lease()) || co_await CheckAlive()) {
      if (relay_.Begin(wire::AsBytes(request))) co_return true;
      requests_.Rewind();
    }
    relay_.lease().Discard();
    lease = pool_->TryAcquire(client_.event);
  }
}

// Waits in the pool's queue until there is a backend or a reason to stop waiting; absl::Cancelled
// when the client has gone.
net::Task<StatusOr<pooler::Lease>> Session::AwaitLease() {
  pooler::Pool::Waiting waiting(*pool_, client_.event);
  client_.event.SetDeadline(DeadlineAfter(pool_->limits().wait_timeout));
  StatusOr<pooler::Lease> outcome = pooler::Lease();
  while (true) {
    outcome = waiting.Poll();
    if (!outcome.ok() || *outcome) break;
    if (client_.stream.socket().hung_up()) {
      outcome = absl::CancelledError("client gone");
    } else if (MustEnd()) {
      outcome = ShuttingDown();
    } else if (cancel_ != nullptr) {
      FinishCancel();
      outcome = Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    } else if (client_.event.expired()) {
      outcome = waiting.TimedOut();
    } else {
      co_await client_.event.Wait();
      continue;
    }
    break;
  }
  client_.event.SetDeadline(kNoDeadline);
  co_return outcome;
}

bool Session::NeedsCheck(const pooler::Backend& backend) const {
  return Clock::now() - backend.idle_since > kPeekAfter;
}

// Whether the attached backend, which nobody has used for a while, is still good.
net::Task<bool> Session::CheckAlive() {
  pooler::Backend& backend = *relay_.lease();
  if (Clock::now() - backend.idle_since > kPingAfter && pool_->limits().pre_ping) {
    const Status answer = co_await RunCommand("", Clock::now() + kPingTimeout);
    co_return answer.ok();
  }
  if (!backend.stream().tls() && backend.stream().socket().QuietAndOpen()) co_return true;
  backend.stream().socket().NoteReadable();
  co_return pooler::DrainUnasked(backend, host_.worker().scratch());
}

net::Task<bool> Session::Leave(Relay::Next reason) {
  if (reason == Relay::Next::kBackendLost && !relay_.replay().empty()) {
    std::string request = relay_.replay();
    relay_.lease().Discard();
    requests_.Rewind();
    co_return co_await Obtain(std::move(request), pooler::Lease());
  }
  if (reason == Relay::Next::kBackendLost) {
    LogWarn("server connection lost session={} backend={} told={}", id_.value,
            relay_.lease()->id().value, relay_.told_fatal());
    if (!relay_.told_fatal()) {
      const Status lost =
          relay_.commit_under_way()
              ? Error(sqlstate::kTransactionResolutionUnknown,
                      "the server connection was lost while a COMMIT was under way: it may or may "
                      "not have been carried out")
              : Error(sqlstate::kConnectionFailure,
                      "the server connection was lost while it was in use");
      co_await Say(lost);
    }
    relay_.lease().Discard();
    co_return false;
  }
  if (reason == Relay::Next::kViolation) co_await Say(relay_.violation());
  co_await CleanUp();
  co_return false;
}

// A client in the middle of its login is not waited for.
void Session::Poke() {
  if (!logged_in_ && host_.ending() != Ending::kNo) client_.event.SetDeadline(Clock::now());
  client_.event.Set();
}

bool Session::MustEnd() const {
  if (host_.ending() == Ending::kNow) return true;
  return host_.ending() == Ending::kWhenFree && (!relay_.attached() || relay_.Free());
}

void Session::Cancel(std::shared_ptr<CancelTicket> ticket) {
  FinishCancel();  // of two at once, one is enough
  cancel_ = std::move(ticket);
  client_.event.Set();
}

// Passes the cancel request on while the backend works for the client. Work of pgweir's own is not
// to be hit: the request waits until that is over.
void Session::ForwardCancel() {
  const wire::ReplyTracker& tracker = relay_.lease()->tracker;
  if (tracker.swallowing()) return;
  if (!tracker.outstanding()) return FinishCancel();
  pool_->Cancel(*relay_.lease(), [ticket = std::move(cancel_)]() mutable {
    CancelTicket::Finish(std::move(ticket));
  });
  cancel_ = nullptr;
}

void Session::FinishCancel() {
  if (cancel_ != nullptr) CancelTicket::Finish(std::exchange(cancel_, nullptr));
}

net::Task<void> Session::Say(Status reason) {
  std::string message;
  AppendError(message, Severity::kFatal, reason);
  if (!client_.Send(message)) co_return;
  client_.event.SetDeadline(Clock::now() + kFarewell);
  co_await client_.Flush();
  client_.event.SetDeadline(kNoDeadline);
}

}  // namespace pgweir::proxy
