#include "proxy/overview.h"

#include <algorithm>
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

std::vector<std::unique_ptr<DigestShown>> DigestsOf(const Shared& shared) {
  std::map<std::tuple<std::string, std::string, uint64_t>, std::unique_ptr<DigestShown>> all;
  for (const auto& host : shared.hosts) {
    host->tools().observer.digests.ForEach([&all](const observe::DigestTable::Row& row) {
      auto& digest = all[{std::string(row.database), std::string(row.user), row.digest}];
      if (digest == nullptr) digest = std::make_unique<DigestShown>();
      digest->database = row.database;
      digest->user = row.user;
      digest->digest = row.digest;
      if (digest->text.empty()) digest->text = row.text;
      digest->sums.Merge(*row.sums);
    });
  }
  std::vector<std::unique_ptr<DigestShown>> sorted;
  for (auto& [key, digest] : all) {
    if (digest->sums.calls.Get() > 0) sorted.push_back(std::move(digest));
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    const bool a_other = a->database.empty(), b_other = b->database.empty();
    if (a_other != b_other) return b_other;
    return a->sums.total_us.Get() > b->sums.total_us.Get();
  });
  return sorted;
}

}  // namespace pgweir::proxy
