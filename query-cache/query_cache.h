#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/mutex.h"
#include "query-cache/flights.h"
#include "query-cache/store.h"
#include "query-cache/tallies.h"
#include "query-cache/versions.h"

namespace pgweir::cache {

// When something was last written in a server's database, as far as is known here. Replicas that
// have not replayed that don't fill the cache.
class WriteClock {
 public:
  void Wrote(TimePoint at) {
    const int64_t ticks = at.time_since_epoch().count();
    int64_t known = last_.load();
    while (known < ticks && !last_.compare_exchange_weak(known, ticks)) continue;
  }
  TimePoint last() const { return TimePoint(Duration(last_.load())); }

 private:
  std::atomic<int64_t> last_ = 0;
};

// All of the process's cache. Any thread.
struct QueryCache {
  explicit QueryCache(const Store::Limits& limits) : store(limits) {}

  WriteClock& ClockOf(DatabaseId database) ABSL_LOCKS_EXCLUDED(mutex) {
    const MutexLock lock(mutex);
    std::unique_ptr<WriteClock>& clock = clocks[database.value];
    if (clock == nullptr) clock = std::make_unique<WriteClock>();
    return *clock;
  }

  // A rule whose answers were found wrong serves nothing more.
  void SwitchOff(RuleId rule) ABSL_LOCKS_EXCLUDED(mutex) {
    const MutexLock lock(mutex);
    switched_off.insert(rule.value);
    any_switched_off = true;
  }
  bool IsOff(RuleId rule) ABSL_LOCKS_EXCLUDED(mutex) {
    if (!any_switched_off) return false;
    const MutexLock lock(mutex);
    return switched_off.contains(rule.value);
  }

  Versions versions;
  Store store;
  Flights flights;

  Tally total;
  Tallies by_rule, by_table, by_digest;
  std::atomic<uint64_t> invalidations = 0;  // answers that were found outdated by a write
  std::atomic<uint64_t> coalesced = 0;      // that were waited for
  std::atomic<uint64_t> stale_served = 0;
  std::atomic<uint64_t> verified = 0, differences = 0;

  std::atomic<bool> any_switched_off = false;
  Mutex mutex;
  std::set<uint64_t> switched_off ABSL_GUARDED_BY(mutex);
  std::map<uint64_t, std::unique_ptr<WriteClock>> clocks ABSL_GUARDED_BY(mutex);
};

}  // namespace pgweir::cache
