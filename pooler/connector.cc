#include "pooler/connector.h"

#include <algorithm>
#include <atomic>
#include <random>

#include "pooler/login.h"
#include "pooler/pool_policy.h"

namespace pgweir::pooler {
namespace {

std::atomic<uint64_t> next_backend_id{1};

double Random() {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

// How one login waits on the connector's thread, beside others.
class Connector::Turn final : public Readiness {
 public:
  Turn(Connector& connector, TimePoint deadline) : connector_(connector), deadline_(deadline) {}

  net::Task<bool> Await(int fd, Way way, TimePoint until) override {
    net::Event event(connector_.worker_);
    event.SetDeadline(std::min(until, deadline_));
    // A login may go on with another socket after any step, so each wait watches anew.
    net::Socket socket(fd, net::Socket::Ownership::kBorrows);
    socket.Attach(connector_.worker_, &event);
    if (way == Way::kWriting) socket.NoteWriteBlocked();
    while (!(way == Way::kReading ? socket.readable() : socket.writable())) {
      const bool in_time = co_await connector_.Wait(event);
      if (!in_time) co_return false;
    }
    co_return true;
  }

  bool over() const override { return connector_.stopping_ || Clock::now() >= deadline_; }

 private:
  Connector& connector_;
  const TimePoint deadline_;
};

Connector::Connector(int max_parallel) : max_parallel_(max_parallel) { worker_.Start("connector"); }

Connector::~Connector() {
  worker_.Post([this] {
    stopping_ = true;
    for (net::Event* event : waiting_) event->Set();
  });
  worker_.Stop();
  worker_.Join();
}

void Connector::Open(Target target, Patience patience, Done done) {
  worker_.Post([this, pending = Pending{std::move(target), patience, std::move(done)}]() mutable {
    queue_.push_back(std::move(pending));
    StartSome();
  });
}

void Connector::StartSome() {
  while (running_ < max_parallel_ && !queue_.empty()) {
    Pending pending = std::move(queue_.front());
    queue_.pop_front();
    net::Spawn(Run(std::move(pending)));
  }
}

net::Task<void> Connector::Run(Pending pending) {
  const std::string& host = pending.target.connection_string;
  // A pause doesn't count against the bound: it must not keep a healthy host waiting.
  while (hosts_[host].not_before > Clock::now() && !stopping_) {
    const TimePoint until = hosts_[host].not_before;
    co_await Pause(until);
  }
  if (running_ >= max_parallel_ && !stopping_) {
    queue_.push_front(std::move(pending));
    co_return;
  }
  ++running_;
  const TimePoint started = Clock::now();
  auto result = co_await Connect(pending.target, pending.patience.timeout);
  --running_;
  Host& state = hosts_[host];
  if (result.ok() || !WorthRetrying(result.status())) {
    state.failures = 0;
  } else if (started >= state.not_before) {
    // Attempts that were under way together count as one failure.
    const Duration pause = ConnectBackoff(++state.failures, Random());
    state.not_before = Clock::now() + std::min(pause, pending.patience.max_pause);
  }
  pending.done(std::move(result));
  StartSome();
}

net::Task<bool> Connector::Wait(net::Event& event) {
  if (stopping_) co_return false;
  waiting_.insert(&event);
  co_await event.Wait();
  waiting_.erase(&event);
  co_return !stopping_ && !event.expired();
}

net::Task<void> Connector::Pause(TimePoint until) {
  net::Event event(worker_);
  event.SetDeadline(until);
  while (co_await Wait(event)) {
  }
}

net::Task<StatusOr<std::unique_ptr<Backend>>> Connector::Connect(Target target, Duration timeout) {
  Turn turn(*this, DeadlineAfter(timeout));
  auto connection = co_await LogIn(target, turn);
  if (connection.ok()) {
    co_return std::make_unique<Backend>(BackendId{next_backend_id++}, *std::move(connection));
  }
  if (stopping_) co_return Error(sqlstate::kAdminShutdown, "pgweir is shutting down");
  if (turn.over()) {
    co_return Errorf(sqlstate::kCannotConnect,
                     "no connection to the server within {} ms (server_connect_timeout)",
                     std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  }
  co_return connection.status();
}

}  // namespace pgweir::pooler
