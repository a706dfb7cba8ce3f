// What it costs a statement to be measured, added up and, if it is slow, logged.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "observe/digest_table.h"
#include "observe/hot_symbols.h"
#include "observe/secrets.h"
#include "observe/slow_log_line.h"
#include "observe/slow_log_policy.h"
#include "observe/statement_spans.h"
#include "router/digest_text.h"

namespace pgweir::observe {
namespace {

constexpr std::string_view kText =
    "SELECT bucket, open, high, low, close, volume FROM candles WHERE symbol = $1 AND bucket >= $2 "
    "ORDER BY bucket DESC LIMIT 100";

struct Example {
  Example() {
    client.database = "market";
    client.user = "dashboard";
    client.application_name = "grafana";
    client.address = "10.0.0.5";
    client.pid = 4711;
    record.client = &client;
    record.finished = std::chrono::system_clock::now();
    record.text = record.digest_text = kText;
    record.times = {950, 2, 100, 0, 5, 0, 700, 143, 0};
    record.rows = 100;
    record.bytes = 6000;
    record.nodes = nodes;
    record.shards = {1};
    record.role = NodeRole::kPrimary;
    record.parameters = parameters;
    record.extended = true;
  }

  ClientFacts client;
  std::vector<std::string_view> nodes = {"db_shard_1"};
  std::vector<StatementParameter> parameters = {
      {false, false, 25, "BTCUSDT"},
      {false, true, 1184, std::string_view("\0\2\x9e\x82\x16\xf6\x9c\x40", 8)}};
  StatementRecord record;
};

void TimeOneStatement(benchmark::State& state) {
  StatementTimer timer;
  for (auto _ : state) {
    const TimePoint now = Clock::now();
    timer.Start(now);
    timer.Mark(Moment::kRouted, now);
    timer.Mark(Moment::kGranted, now);
    timer.Mark(Moment::kSent, now);
    timer.Mark(Moment::kFirstByte, now + std::chrono::microseconds(500));
    timer.Mark(Moment::kLastByte, now + std::chrono::microseconds(700));
    benchmark::DoNotOptimize(timer.Split());
  }
}
BENCHMARK(TimeOneStatement);

void RecordDigest(benchmark::State& state) {
  DigestTable table({});
  Example example;
  const auto digests = static_cast<uint64_t>(state.range(0));
  uint64_t next = 0;
  for (auto _ : state) {
    example.record.digest = ++next % digests * 0x9e3779b97f4a7c15u;
    example.record.times.total_us = 900 + next % 256;
    if (table.Record(example.record)) table.Describe(example.record);
  }
}
BENCHMARK(RecordDigest)->Arg(1)->Arg(20)->Arg(400);

// Each one new, so that another goes.
void RecordDigestAndEvict(benchmark::State& state) {
  DigestTable table({});
  Example example;
  for (auto _ : state) {
    ++example.record.digest;
    if (table.Record(example.record)) table.Describe(example.record);
  }
}
BENCHMARK(RecordDigestAndEvict);

void ReadDigests(benchmark::State& state) {
  DigestTable table({});
  Example example;
  for (uint64_t i = 0; i < 500; ++i) {
    example.record.digest = i;
    example.record.times.total_us = i * 100;
    if (table.Record(example.record)) table.Describe(example.record);
  }
  uint64_t p95 = 0;
  for (auto _ : state) {
    table.ForEach([&](const DigestTable::Row& row) { p95 += row.sums->latency.Quantile(0.95); });
  }
  benchmark::DoNotOptimize(p95);
}
BENCHMARK(ReadDigests);

void RecordSymbol(benchmark::State& state) {
  HotSymbols symbols;
  std::vector<std::string> names;
  for (int i = 0; i < state.range(0); ++i) names.push_back("SYMBOL" + std::to_string(i));
  size_t next = 0;
  for (auto _ : state) symbols.Record("db_shard_1", names[++next % names.size()], 100, 950);
}
BENCHMARK(RecordSymbol)->Arg(50)->Arg(5000);

void DecideAgainstLogging(benchmark::State& state) {
  config::SlowLog options;
  options.path = "slow.json";
  const SlowLogPolicy policy(options);
  const Example example;
  bool wanted = false;
  for (auto _ : state) benchmark::DoNotOptimize(wanted |= policy.Wants(example.record, 5));
}
BENCHMARK(DecideAgainstLogging);

void WriteLine(benchmark::State& state) {
  SlowLogLine line;
  const Example example;
  const LineOptions options;
  size_t bytes = 0;
  for (auto _ : state) bytes = line.Write(example.record, options).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(WriteLine);

void WriteSpans(benchmark::State& state) {
  StatementSpans spans;
  const Example example;
  size_t bytes = 0;
  for (auto _ : state) bytes = spans.Write(example.record).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(WriteSpans);

void LookForSecrets(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MayHoldSecret(kText));
}
BENCHMARK(LookForSecrets);

// Beside the scan, which is done for every statement.
void MakeDigestText(benchmark::State& state) {
  router::SqlScan scan;
  scan.Scan(kText);
  router::DigestText text;
  for (auto _ : state) benchmark::DoNotOptimize(text.Make(scan));
}
BENCHMARK(MakeDigestText);

}  // namespace
}  // namespace pgweir::observe

BENCHMARK_MAIN();
