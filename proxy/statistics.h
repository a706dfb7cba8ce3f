#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace pgweir::proxy {

// What is counted, in the order in which PgBouncer shows it. Times are in nanoseconds.
enum class Stat : uint8_t {
  kAssignments,  // a client got a backend
  kXacts,
  kQueries,   // requests answered by a ReadyForQuery
  kReceived,  // bytes, from clients
  kSent,      // to clients
  kXactTime,  // with a backend
  kQueryTime,
  kWaitTime,      // for a backend
  kClientParses,  // Parse messages of clients
  kServerParses,  // and to servers
  kBinds,
  kLogins,
};
inline constexpr size_t kStats = static_cast<size_t>(Stat::kLogins) + 1;
using StatValues = std::array<uint64_t, kStats>;

// The counts of one database on one worker: changed by that worker's thread alone, without a lock
// or a locked instruction, and read by any.
class alignas(64) Counters {
 public:
  void Add(Stat stat, uint64_t amount = 1) {
    std::atomic<uint64_t>& value = values_[static_cast<size_t>(stat)];
    value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void Add(Stat stat, Duration time) {
    if (time > Duration::zero()) Add(stat, static_cast<uint64_t>(time.count()));
  }
  void AddTo(StatValues& sum) const {
    for (size_t i = 0; i < kStats; ++i) sum[i] += values_[i].load(std::memory_order_relaxed);
  }

  // This thread's, for clients that are not logged in: nobody reads them.
  static Counters& Unread();

 private:
  std::array<std::atomic<uint64_t>, kStats> values_{};
};

// The counters of all databases, and what they were at the ends of the last two periods.
// Thread-safe.
class Statistics {
 public:
  explicit Statistics(size_t workers) : workers_(workers), newer_at_(Clock::now()) {}

  // Of this database on this worker. Stays for the life of this object.
  Counters& Of(const std::string& database, int worker);

  // To be called once in each of log.stats_period.
  void EndPeriod(TimePoint now);

  struct Row {
    std::string database;
    StatValues totals{};    // times in microseconds
    StatValues averages{};  // of the last full period: counts and bytes a second, microseconds each
  };
  // By database; the last is the sum of all, without a name.
  std::vector<Row> Read() const;

 private:
  struct Entry {
    explicit Entry(size_t workers) : counters(workers) {}
    StatValues Sum() const;
    std::vector<Counters> counters;  // by worker
    StatValues newer{}, older{};
  };

  Row RowOf(const std::string& database, const StatValues& now, const StatValues& newer,
            const StatValues& older) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t workers_;
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  TimePoint newer_at_ ABSL_GUARDED_BY(mutex_);
  Duration period_ ABSL_GUARDED_BY(mutex_) = Duration::zero();  // between older and newer
};

// The average of each count over a period that it grew in from `older` to `newer`; 0 for one that
// lasted no time.
StatValues Averages(const StatValues& older, const StatValues& newer, Duration period);

}  // namespace pgweir::proxy
