#include "proxy/overview.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace pgweir::proxy {
namespace {

int Weight(const PoolShown& pool) {
  return pool.counts.open() + pool.counts.waiting + pool.counts.connecting;
}

}  // namespace

std::vector<PoolShown> PoolsOf(const Shared& shared, size_t max) {
  std::map<std::tuple<std::string, std::string, std::string>, pooler::Pool::Counts> sums;
  for (const auto& listed : shared.pools.List()) {
    sums[{listed.database, listed.user, listed.node}].Add(listed.pool->counts());
  }
  std::vector<PoolShown> pools;
  for (const auto& [key, counts] : sums) {
    const auto& [database, user, node] = key;
    pools.push_back({database, user, node, counts});
  }
  if (pools.size() <= max) return pools;
  std::sort(pools.begin(), pools.end(),
            [](const PoolShown& a, const PoolShown& b) { return Weight(a) > Weight(b); });
  PoolShown& others = pools[max];
  others.database = others.user = others.node = kOthers;
  for (size_t i = max + 1; i < pools.size(); ++i) {
    others.counts.Add(pools[i].counts);
  }
  pools.resize(max + 1);
  return pools;
}

pooler::Pool::Counts AllPools(const Shared& shared) {
  pooler::Pool::Counts sum;
  for (const auto& listed : shared.pools.List()) sum.Add(listed.pool->counts());
  return sum;
}

Duration LongestWait(const pooler::Pool::Counts& counts, TimePoint now) {
  return counts.waiting_since == kNoDeadline ? Duration::zero() : now - counts.waiting_since;
}

std::vector<PatternShown> PatternsOf(const Shared& shared, const config::Config& config) {
  std::vector<PatternShown> patterns;
  for (const auto& [name, database] : config.databases) {
    if (database.shard_map == nullptr) continue;
    for (const config::SymbolPattern& pattern : database.shard_map->patterns) {
      const std::string written = pattern.Written();
      patterns.push_back(
          {name, written, pattern.node, shared.shard_statistics.Read(name, written)});
    }
  }
  return patterns;
}

std::vector<std::unique_ptr<DigestShown>> DigestsOf(const Shared& shared, size_t max) {
  using Row = observe::DigestTable::Row;
  using Key = std::tuple<std::string, std::string, uint64_t>;
  const auto key_of = [](const Row& row) { return Key(row.database, row.user, row.digest); };
  const auto each = [&shared](const std::function<void(const Row&)>& visit) {
    for (const auto& host : shared.hosts) host->tools().observer.digests.ForEach(visit);
  };
  std::map<Key, uint64_t> times;
  each([&](const Row& row) {
    if (row.sums->calls.Get() > 0) times[key_of(row)] += row.sums->total_us.Get();
  });
  std::vector<std::pair<Key, uint64_t>> order(times.begin(), times.end());
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    const bool a_other = std::get<0>(a.first).empty(), b_other = std::get<0>(b.first).empty();
    return a_other != b_other ? b_other : a.second > b.second;
  });
  if (order.size() > max) order.resize(max);

  // Their sums are large: only those that are shown have some.
  std::map<Key, DigestShown*> shown;
  std::vector<std::unique_ptr<DigestShown>> digests;
  for (const auto& [key, time] : order) {
    shown[key] = digests.emplace_back(std::make_unique<DigestShown>()).get();
  }
  each([&](const Row& row) {
    const auto found = shown.find(key_of(row));
    if (found == shown.end()) return;
    DigestShown& digest = *found->second;
    std::tie(digest.database, digest.user, digest.digest) = found->first;
    if (digest.text.empty()) digest.text = row.text;
    digest.sums.Merge(*row.sums);
  });
  return digests;
}

}  // namespace pgweir::proxy
