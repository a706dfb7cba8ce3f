#include "report/totals.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace pgweir::report {
namespace {

double Weight(const DigestTotal& total, Order order) {
  switch (order) {
    case Order::kTotal:
      return static_cast<double>(total.measures.time.total);
    case Order::kP95:
      return total.p95;
    case Order::kCalls:
      return static_cast<double>(total.measures.calls);
  }
  return 0;
}

}  // namespace

std::vector<DigestTotal> DigestTotals(const Summary& summary, Order order) {
  std::vector<DigestTotal> totals(summary.digests().list().size());
  summary.by_digest().ForEach([&](TimeCube::Series series, int64_t, const Measures& measures) {
    totals[Summary::DigestOf(series)].measures.Merge(measures);
  });
  for (uint32_t digest = 0; digest < totals.size(); ++digest) {
    totals[digest].digest = digest;
    totals[digest].p95 = totals[digest].measures.durations.Quantile(0.95);
  }
  std::erase_if(totals, [](const DigestTotal& t) { return t.measures.calls == 0; });
  std::sort(totals.begin(), totals.end(), [order](const auto& a, const auto& b) {
    return std::pair(Weight(b, order), a.digest) < std::pair(Weight(a, order), b.digest);
  });
  return totals;
}

std::vector<ShardTotal> ShardTotals(const Summary& summary) {
  std::map<std::string, Measures> by_name;
  summary.traffic().ForEach([&](TimeCube::Series group, int64_t, const Measures& measures) {
    const auto& shards = summary.groups().list()[group].shards;
    if (shards.empty()) by_name[""].Merge(measures);
    for (const std::string& shard : shards) by_name[shard].Merge(measures);
  });
  std::vector<ShardTotal> totals;
  for (auto& [name, measures] : by_name) totals.push_back({name, std::move(measures)});
  std::sort(totals.begin(), totals.end(), [](const auto& a, const auto& b) {
    return std::tie(b.measures.time.total, a.name) < std::tie(a.measures.time.total, b.name);
  });
  return totals;
}

Measures GrandTotal(const Summary& summary) {
  Measures total;
  summary.traffic().ForEach(
      [&](TimeCube::Series, int64_t, const Measures& measures) { total.Merge(measures); });
  return total;
}

}  // namespace pgweir::report
