// What it costs to know a statement: seen before, seen with other literals, never seen.

#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "router/analysis.h"
#include "router/statement_cache.h"

namespace pgweir::router {
namespace {

// Each with a number that range(1) changes.
std::string PointSelect(int n) {
  return fmt::format(
      "SELECT id, name, price FROM products WHERE id = {:07} AND region = 'eu-west-1' ORDER BY "
      "name "
      "LIMIT 10",
      n);
}

std::string Pgbench(int n) {
  return fmt::format("SELECT abalance FROM pgbench_accounts WHERE aid = {:07};", n);
}

std::string Traced(int n) {
  return fmt::format(
      "{} /*application='shop',controller='cart',framework='django:4.2',"
      "traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-{:02}'*/",
      PointSelect(n), n % 100);
}

std::string Analytic(int n) {
  return fmt::format(
      R"(WITH daily AS (
  SELECT date_trunc('day', t.executed_at) AS day, t.symbol, sum(t.quantity * t.price) AS turnover,
         count(*) AS trades, max(t.price) AS high, min(t.price) AS low
  FROM trades t JOIN instruments i ON i.symbol = t.symbol
  WHERE t.executed_at >= now() - interval '30 days' AND i.kind IN ('spot', 'perpetual', 'future')
    AND t.account_id <> {} AND NOT EXISTS (SELECT 1 FROM busts b WHERE b.trade_id = t.id)
  GROUP BY 1, 2
), ranked AS (
  SELECT d.*, rank() OVER (PARTITION BY day ORDER BY turnover DESC) AS place,
         turnover / nullif(lag(turnover) OVER (PARTITION BY symbol ORDER BY day), 0) - 1 AS change
  FROM daily d
)
SELECT r.day, r.symbol, r.turnover, r.trades, r.high, r.low, round(100 * r.change, 2) AS change_pct,
       CASE WHEN r.change > 0.5 THEN 'up' WHEN r.change < -0.5 THEN 'down' ELSE 'flat' END AS mood
FROM ranked r LEFT JOIN watchlist w ON w.symbol = r.symbol AND w.owner = 'desk-7'
WHERE r.place <= 10 ORDER BY r.day DESC, r.place LIMIT 300)",
      n);
}

std::string InsertRows(int n) {
  std::string sql = "INSERT INTO trades (id, symbol, price, quantity, side) VALUES ";
  for (int row = 0; row < 100; ++row) {
    sql += fmt::format("{}({}, 'BTCUSDT', 64123.5, 0.0125, 'buy')", row ? ", " : "", n + row);
  }
  return sql;
}

constexpr std::array kStatements = {&PointSelect, &Pgbench, &Traced, &Analytic, &InsertRows};
constexpr std::array kNames = {"point select", "pgbench", "traced", "analytic", "insert 100 rows"};

std::vector<std::string> Variants(const benchmark::State& state) {
  std::vector<std::string> variants;
  for (int n = 0; n < 16; ++n) {
    variants.push_back(kStatements[static_cast<size_t>(state.range(0))](1000 + n));
  }
  return variants;
}

void Label(benchmark::State& state, const std::string& sql) {
  state.SetLabel(
      fmt::format("{}, {} bytes", kNames[static_cast<size_t>(state.range(0))], sql.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sql.size()));
}

void ScanOnly(benchmark::State& state) {
  const auto texts = Variants(state);
  SqlScan scan;
  size_t next = 0;
  for (auto _ : state) {
    scan.Scan(texts[next++ % texts.size()]);
    benchmark::DoNotOptimize(scan.digest());
  }
  Label(state, texts[0]);
}

// Known, with new literals each time.
void FindWarm(benchmark::State& state) {
  const auto texts = Variants(state);
  StatementCache cache;
  size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cache.Find(texts[next++ % texts.size()]).get());
  Label(state, texts[0]);
}

// The same text again.
void FindRepeated(benchmark::State& state) {
  const auto texts = Variants(state);
  StatementCache cache;
  for (auto _ : state) benchmark::DoNotOptimize(cache.Find(texts[0]).get());
  Label(state, texts[0]);
}

// Never seen: scan, parse, walk and store.
void FindCold(benchmark::State& state) {
  const std::string text = kStatements[static_cast<size_t>(state.range(0))](1000);
  SqlScan scan;
  for (auto _ : state) {
    scan.Scan(text);
    benchmark::DoNotOptimize(Analyse(text, scan).effects);
  }
  Label(state, text);
}

BENCHMARK(ScanOnly)->DenseRange(0, kStatements.size() - 1);
BENCHMARK(FindWarm)->DenseRange(0, kStatements.size() - 1);
BENCHMARK(FindRepeated)->DenseRange(0, kStatements.size() - 1);
BENCHMARK(FindCold)->DenseRange(0, kStatements.size() - 1);

}  // namespace
}  // namespace pgweir::router

BENCHMARK_MAIN();
