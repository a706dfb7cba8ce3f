#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/digest_sums.h"
#include "pooler/pool.h"
#include "proxy/host.h"
#include "proxy/shard_statistics.h"

// What the console, the metrics and the dashboard show of all workers together. Any thread.

namespace pgweir::proxy {

// What is beyond a bound is summed up under this name.
inline constexpr std::string_view kOthers = "(others)";

struct PoolShown {
  std::string database, user, node;
  pooler::Pool::Counts counts;
};
// A node's replicas and replication connections count with it. With more than `max` of them the
// busiest come first, and the others are one.
std::vector<PoolShown> PoolsOf(const Shared& shared, size_t max);

// Of all pools.
pooler::Pool::Counts AllPools(const Shared& shared);
// How long the first of those that wait has been waiting; zero when nobody is.
Duration LongestWait(const pooler::Pool::Counts& counts, TimePoint now);

struct PatternShown {
  std::string database, pattern, node;
  PatternCounters::Values values;
};
// Of all shard maps, each in its order.
std::vector<PatternShown> PatternsOf(const Shared& shared, const config::Config& config);

struct DigestShown {
  std::string database, user, text;
  uint64_t digest = 0;
  observe::DigestSums sums;
};
// Those that took the most time first, `max` of them; what has no place of its own, without names,
// last.
std::vector<std::unique_ptr<DigestShown>> DigestsOf(const Shared& shared, size_t max = SIZE_MAX);

}  // namespace pgweir::proxy
