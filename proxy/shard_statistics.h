#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "proxy/latency_histogram.h"
#include "router/shard_map.h"

namespace pgweir::proxy {

// What one worker counts of one pattern of a shard map: changed by its thread alone.
class alignas(64) PatternCounters {
 public:
  // A request has been answered to its ReadyForQuery, so long after it began.
  void Answered(Duration time) {
    Increase(statements_, 1);
    times_.Add(time);
  }
  void AddRows(uint64_t rows) { Increase(rows_, rows); }

  struct Values {
    uint64_t statements = 0, rows = 0;
    LatencyHistogram::Counts times{};
  };
  void AddTo(Values& sum) const {
    sum.statements += statements_.load(std::memory_order_relaxed);
    sum.rows += rows_.load(std::memory_order_relaxed);
    times_.AddTo(sum.times);
  }

 private:
  static void Increase(std::atomic<uint64_t>& value, uint64_t by) {
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::atomic<uint64_t> statements_{0}, rows_{0};
  LatencyHistogram times_;
};

// The counters of all patterns of all databases. They outlive reloads.
// Thread-safe.
class ShardStatistics {
 public:
  // Of this pattern, as the map has it, on this worker. Stays for the life of this object.
  PatternCounters& Of(const std::string& database, const std::string& pattern, int worker);

  PatternCounters::Values Read(const std::string& database, const std::string& pattern) const;

 private:
  using ByWorker = std::map<int, std::unique_ptr<PatternCounters>>;
  mutable Mutex mutex_;
  std::map<std::pair<std::string, std::string>, ByWorker> patterns_ ABSL_GUARDED_BY(mutex_);
};

// Those of one worker by the patterns' places in their maps, for its thread only.
class PatternCountersOfWorker {
 public:
  PatternCountersOfWorker(ShardStatistics& all, int worker) : all_(all), worker_(worker) {}

  // `map` is of the database. Null for kNoPattern.
  PatternCounters* Of(const router::ShardMapRef& map, const std::string& database,
                      router::PatternId pattern);

 private:
  struct Known {
    router::ShardMapRef map;  // keeps the key from being another's
    std::vector<PatternCounters*> counters;
  };
  ShardStatistics& all_;
  const int worker_;
  absl::flat_hash_map<const router::ShardMap*, Known> maps_;
};

// How many rows a command's tag tells of, as in "SELECT 5" or "INSERT 0 1".
uint64_t RowsOf(std::string_view tag);

}  // namespace pgweir::proxy
