// SHOW SHARDS.

#include "proxy/console/tables.h"
#include "proxy/overview.h"

namespace pgweir::proxy {
namespace {

constexpr double kP95 = 0.95;
constexpr double kMicrosecondsPerMillisecond = 1000;

}  // namespace

net::Task<Rows> FillShards(const View& view) {
  Rows rows;
  for (const PatternShown& shown : PatternsOf(view.shared(), view.config())) {
    const PatternCounters::Values& values = shown.values;
    const auto p95 = LatencyHistogram::Quantile(values.times, kP95);
    Row& row = rows.emplace_back();
    row.Text(shown.pattern).Text(shown.node).Number(values.statements).Number(values.rows);
    if (p95.has_value()) {
      row.Decimal(*p95 / kMicrosecondsPerMillisecond);
    } else {
      row.Null();
    }
    row.Text(shown.database);
  }
  co_return rows;
}

}  // namespace pgweir::proxy
