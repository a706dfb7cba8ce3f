// SHOW SHARDS.

#include "proxy/console/tables.h"
#include "proxy/shard_statistics.h"

namespace pgweir::proxy {
namespace {

constexpr double kP95 = 0.95;
constexpr double kMicrosecondsPerMillisecond = 1000;

}  // namespace

net::Task<Rows> FillShards(const View& view) {
  Rows rows;
  for (const auto& [name, database] : view.config().databases) {
    if (database.shard_map == nullptr) continue;
    for (const config::SymbolPattern& pattern : database.shard_map->patterns) {
      const std::string written = pattern.Written();
      const auto values = view.shared().shard_statistics.Read(name, written);
      const auto p95 = LatencyHistogram::Quantile(values.times, kP95);
      Row& row = rows.emplace_back();
      row.Text(written).Text(pattern.node).Number(values.statements).Number(values.rows);
      if (p95.has_value()) {
        row.Decimal(*p95 / kMicrosecondsPerMillisecond);
      } else {
        row.Null();
      }
      row.Text(name);
    }
  }
  co_return rows;
}

}  // namespace pgweir::proxy
