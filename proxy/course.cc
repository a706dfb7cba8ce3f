#include "proxy/course.h"

#include <algorithm>
#include <utility>

#include "proxy/overview.h"

namespace pgweir::proxy {

void Course::Follow(const Shared& shared, TimePoint now) {
  if (last_ != nullptr && now - last_->at < kPeriod) return;
  auto seen = std::make_unique<Seen>();
  seen->at = now;
  for (const auto& host : shared.hosts) seen->statements.Merge(host->tools().observer.all);
  if (shared.cache != nullptr) {
    seen->hits = shared.cache->total.hits.load(std::memory_order_relaxed);
    seen->misses = shared.cache->total.misses.load(std::memory_order_relaxed);
  }
  const std::unique_ptr<Seen> before = std::exchange(last_, std::move(seen));
  if (before == nullptr) return;

  const double seconds = std::chrono::duration<double>(now - before->at).count();
  const observe::DigestSums& sums = last_->statements;
  const observe::DigestSums& old = before->statements;
  const auto rate = [&](uint64_t count, uint64_t earlier) {
    return static_cast<double>(count - earlier) / seconds;
  };
  const auto busy = [&](const observe::Counter& micros, const observe::Counter& earlier) {
    return rate(micros.Get(), earlier.Get()) / 1e6;
  };
  Moment moment;
  using std::chrono::system_clock;
  moment.second = system_clock::to_time_t(system_clock::now());
  moment.statements = rate(sums.calls.Get(), old.calls.Get());
  moment.errors = rate(sums.errors.Get(), old.errors.Get());
  moment.hits = rate(last_->hits, before->hits);
  moment.misses = rate(last_->misses, before->misses);
  observe::Histogram latency = sums.latency;
  latency.Subtract(old.latency);
  moment.p50_us = latency.Quantile(0.5);
  moment.p95_us = latency.Quantile(0.95);
  moment.p99_us = latency.Quantile(0.99);
  moment.queue = busy(sums.wait_us, old.wait_us);
  moment.server = busy(sums.backend_us, old.backend_us);
  moment.client = busy(sums.blocked_us, old.blocked_us);
  moment.transfer = std::max(0.0, busy(sums.transfer_us, old.transfer_us) - moment.client);
  moment.rest = busy(sums.route_us, old.route_us) + busy(sums.sync_us, old.sync_us) +
                busy(sums.ahead_us, old.ahead_us);
  const pooler::Pool::Counts pools = AllPools(shared);
  moment.active = pools.leased;
  moment.idle = pools.idle;
  moment.connecting = pools.connecting;
  moment.waiting = pools.waiting;
  moment.clients = shared.clients.load();
  moments_.push_back(moment);
  if (moments_.size() > kKept) moments_.pop_front();
}

}  // namespace pgweir::proxy
