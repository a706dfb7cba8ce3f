#include "proxy/host.h"

#include <exception>

#include "base/log.h"
#include "proxy/session.h"

namespace pgweir::proxy {

void CancelTicket::Finish(std::shared_ptr<CancelTicket> ticket) {
  net::Worker& worker = ticket->worker_;
  worker.Post([ticket = std::move(ticket)] {
    ticket->finished_ = true;
    if (ticket->event_ != nullptr) ticket->event_->Set();
  });
}

SessionHost::SessionHost(net::Worker& worker, Shared& shared, SnapshotRef snapshot)
    : worker_(worker),
      shared_(shared),
      tools_(worker, shared.session_counts, shared.shard_statistics, shared.slow_log, shared.spans,
             shared.plan_times) {
  Use(std::move(snapshot));
}

SessionHost::~SessionHost() = default;

void SessionHost::Use(SnapshotRef snapshot) {
  snapshot_ = std::move(snapshot);
  tools_.observer.Use({snapshot_, &snapshot_->config()});
}

void SessionHost::Serve(int fd, Peer peer) {
  shared_.clients.fetch_add(1, std::memory_order_relaxed);
  load_.fetch_add(1, std::memory_order_relaxed);
  worker_.Post([this, fd, peer = std::move(peer)]() mutable {
    const SessionId id{shared_.next_session.fetch_add(1, std::memory_order_relaxed)};
    net::Spawn(Run(std::make_unique<Session>(id, *this, fd, std::move(peer))));
  });
}

// The root of a session: whatever goes wrong in it ends here and touches no other.
net::Task<void> SessionHost::Run(std::unique_ptr<Session> session) {
  const SessionId id = session->id();
  try {
    sessions_.emplace(id.value, session.get());
    if (co_await session->LogIn()) co_await session->Serve();
    co_await session->Close();
  } catch (const std::exception& error) {
    LogError("session ended by an internal error session={} error=\"{}\"", id.value, error.what());
  }
  session = nullptr;
  sessions_.erase(id.value);
  load_.fetch_sub(1, std::memory_order_relaxed);
  shared_.clients.fetch_sub(1, std::memory_order_relaxed);
}

void SessionHost::Cancel(SessionId id, std::shared_ptr<CancelTicket> ticket) {
  worker_.Post([this, id, ticket = std::move(ticket)]() mutable {
    const auto it = sessions_.find(id.value);
    if (it == sessions_.end()) return CancelTicket::Finish(std::move(ticket));
    it->second->Cancel(std::move(ticket));
  });
}

void SessionHost::Replace() {
  worker_.Post([this] { Refresh(); });
}

void SessionHost::End(Ending ending) {
  worker_.Post([this, ending] {
    ending_ = ending;
    for (const auto& [id, session] : sessions_) session->Poke();
  });
}

void SessionHost::Suspend(bool suspended) {
  worker_.Post([this, suspended] {
    tools_.suspended = suspended;
    for (const auto& [id, session] : sessions_) session->Poke();
  });
}

void SessionHost::ForEach(absl::FunctionRef<void(Session&)> visit) {
  for (const auto& [id, session] : sessions_) visit(*session);
}

}  // namespace pgweir::proxy
