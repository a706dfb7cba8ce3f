// SHOW STATS and its kin.

#include <array>

#include "proxy/console/tables.h"
#include "proxy/statistics.h"

namespace pgweir::proxy {
namespace {

// Of SHOW TOTALS, in the order of Stat.
constexpr std::array<std::string_view, kStats> kTotalNames = {"server_assignment_count",
                                                              "xact_count",
                                                              "query_count",
                                                              "client_bytes",
                                                              "server_bytes",
                                                              "xact_time",
                                                              "query_time",
                                                              "wait_time",
                                                              "ps_client_parse_count",
                                                              "ps_server_parse_count",
                                                              "ps_bind_count",
                                                              "client_login_count"};

void AddValues(Row& row, const StatValues& values) {
  for (const uint64_t value : values) row.Number(value);
}

// The last row is the sum of all.
std::vector<Statistics::Row> ByDatabase(const View& view) {
  std::vector<Statistics::Row> rows = view.shared().statistics.Read();
  rows.pop_back();
  return rows;
}

}  // namespace

net::Task<Rows> FillStats(const View& view) {
  Rows rows;
  for (const Statistics::Row& of : ByDatabase(view)) {
    Row& row = rows.emplace_back().Text(of.database);
    AddValues(row, of.totals);
    AddValues(row, of.averages);
    row.Number(of.totals[static_cast<size_t>(Stat::kQueries)]);
  }
  co_return rows;
}

net::Task<Rows> FillStatsTotals(const View& view) {
  Rows rows;
  for (const Statistics::Row& of : ByDatabase(view)) {
    AddValues(rows.emplace_back().Text(of.database), of.totals);
  }
  co_return rows;
}

net::Task<Rows> FillStatsAverages(const View& view) {
  Rows rows;
  for (const Statistics::Row& of : ByDatabase(view)) {
    AddValues(rows.emplace_back().Text(of.database), of.averages);
  }
  co_return rows;
}

net::Task<Rows> FillTotals(const View& view) {
  const Statistics::Row all = view.shared().statistics.Read().back();
  Rows rows;
  for (size_t i = 0; i < kStats; ++i) {
    rows.emplace_back().Text(fmt::format("total_{}", kTotalNames[i])).Number(all.totals[i]);
  }
  for (size_t i = 0; i < kStats; ++i) {
    rows.emplace_back().Text(fmt::format("avg_{}", kTotalNames[i])).Number(all.averages[i]);
  }
  co_return rows;
}

}  // namespace pgweir::proxy
