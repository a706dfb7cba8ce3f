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

Connector::Connector(int max_parallel) : max_parallel_(max_parallel) { worker_.Start("connector"); }

Connector::~Connector() {
  worker_.Post([this] { waits_.Stop(); });
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
  while (hosts_[host].not_before > Clock::now() && !waits_.stopping()) {
    const TimePoint until = hosts_[host].not_before;
    co_await waits_.Sleep(until);
  }
  if (running_ >= max_parallel_ && !waits_.stopping()) {
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

net::Task<StatusOr<std::unique_ptr<Backend>>> Connector::Connect(Target target, Duration timeout) {
  WorkerReadiness readiness(waits_, DeadlineAfter(timeout));
  auto connection = co_await LogIn(target, readiness);
  if (connection.ok()) {
    co_return std::make_unique<Backend>(BackendId{next_backend_id++}, *std::move(connection));
  }
  if (waits_.stopping()) co_return Error(sqlstate::kAdminShutdown, "pgweir is shutting down");
  if (readiness.over()) {
    co_return Errorf(sqlstate::kCannotConnect,
                     "no connection to the server within {} ms (server_connect_timeout)",
                     std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  }
  co_return connection.status();
}

}  // namespace pgweir::pooler
