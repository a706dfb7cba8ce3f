// What a session does with a backend when no client speaks: its own statements, and the clean-up
// behind a client that left in the middle of something.

#include <algorithm>

#include "base/log.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

// A cancel ends one statement of a pipeline; the next one gets its own.
constexpr std::chrono::milliseconds kCancelAgainAfter{20};

}  // namespace

net::Task<Status> Session::RunCommand(std::string sql, TimePoint deadline) {
  relay().Command(sql);
  if (!co_await Drain(deadline)) {
    co_return Error(sqlstate::kConnectionFailure, "the server connection was lost or too slow");
  }
  co_return relay().TakeCommandError();
}

net::Task<bool> Session::Drain(TimePoint deadline) {
  client_.event.SetDeadline(deadline);
  bool drained = false;
  while (true) {
    const Relay::Next next = relay().PumpBackendOnly();
    if (next == Relay::Next::kBackendLost) break;
    drained = relay().lease()->tracker.between_requests();
    if (drained || client_.event.expired() || MustEndNow()) break;
    // The answer to a COPY that was still on its way when the client left.
    if (relay().lease()->tracker.copy_in()) {
      relay().CloseRequest();
      continue;
    }
    if (next == Relay::Next::kYield) client_.event.Set();
    co_await client_.event.Wait();
  }
  client_.event.SetDeadline(kNoDeadline);
  co_return drained;
}

net::Task<void> Session::CleanUp() {
  if (!attached()) co_return;
  relay().DiscardAnswers();
  client_.output.Clear();
  const BackendId id = relay().lease()->id();
  if (co_await MakeReusable()) {
    relay().Release(Clock::now());
    co_return Detach();
  }
  LogInfo("closing because: {} session={} backend={}",
          dedicated_ ? "its client has left" : "its client left in the middle", id_.value,
          id.value);
  Detach();
}

net::Task<bool> Session::Abort(TimePoint deadline) {
  std::shared_ptr<CancelTicket> ticket;
  bool done = false;
  while (!done && Clock::now() < deadline) {
    if (ticket == nullptr || ticket->finished()) {
      ticket = std::make_shared<CancelTicket>(host_.worker(), client_.event);
      host_.worker().sends().Flush();  // what is to be cancelled
      pool_->Cancel(*relay().lease(),
                    [ticket]() mutable { CancelTicket::Finish(std::move(ticket)); });
    }
    const TimePoint next = std::min(deadline, Clock::now() + kCancelAgainAfter);
    done = co_await Drain(next);
    if (!done && Clock::now() < next) break;  // the connection is lost, or all ends at once
  }
  // One that is still on its way would hit the ROLLBACK that follows.
  client_.event.SetDeadline(deadline);
  while (done && !ticket->finished() && !client_.event.expired() && !MustEndNow()) {
    co_await client_.event.Wait();
  }
  client_.event.SetDeadline(kNoDeadline);
  if (ticket != nullptr) ticket->Abandon();
  co_return done;
}

net::Task<bool> Session::MakeReusable() {
  if (dedicated_ || own_.state.loaded()) co_return false;
  // The server waits for the rest of a message that will never come.
  if (relay().mid_message()) co_return false;
  const wire::ReplyTracker& tracker = relay().lease()->tracker;
  if (tracker.desynchronised()) co_return false;
  const TimePoint deadline = DeadlineAfter(pool_->limits().cleanup_timeout);
  if (!tracker.between_requests()) {
    // A client that took its leave wants done what it asked for; one that vanished does not.
    // A COPY ends with its data; a cancel might come before a Sync that the server is to ignore
    // within it, and make it answer that one.
    const bool abort = tracker.outstanding() && !own_.terminated && !tracker.copy_in();
    relay().CloseRequest();
    if (abort && !co_await Abort(deadline)) co_return false;
    if (!abort && !co_await Drain(deadline)) co_return false;
  }
  if (tracker.status() != wire::TransactionStatus::kIdle) {
    const Status rolled_back = co_await RunCommand("ROLLBACK", deadline);
    if (!rolled_back.ok()) co_return false;
  }
  if (own_.mode == config::PoolMode::kSession || relay().left_traces()) {
    relay().Reset();
    if (!co_await Drain(deadline)) co_return false;
  }
  co_return relay().Free();
}

}  // namespace pgweir::proxy
