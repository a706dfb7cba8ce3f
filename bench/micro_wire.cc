// What one message, one request and one statement's text cost in the proxy.

#include <benchmark/benchmark.h>

#include <string>

#include "wire/frame_scanner.h"
#include "wire/parameters.h"
#include "wire/reply_tracker.h"
#include "wire/transaction_words.h"

namespace pgweir::wire {
namespace {

constexpr std::string_view kStatement = "SELECT abalance FROM pgbench_accounts WHERE aid = 123456;";

std::string Typed(char type, size_t body) {
  std::string message(1, type);
  const auto length = static_cast<uint32_t>(body + 4);
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(length >> shift);
  return message.append(body, 'x');
}

// 64 KiB of DataRows with bodies of range(0) bytes.
void ScanRows(benchmark::State& state) {
  std::string rows;
  const std::string row = Typed(backend::kDataRow, static_cast<size_t>(state.range(0)));
  while (rows.size() < 64 * 1024) rows += row;
  int64_t frames = 0;
  for (auto _ : state) {
    FrameScanner scanner(ServerHead);
    size_t position = 0;
    Frame frame;
    while (scanner.Next(AsBytes(rows), position, frame) == FrameScanner::Step::kFrame) ++frames;
  }
  state.SetItemsProcessed(frames);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(rows.size()));
}
BENCHMARK(ScanRows)->Arg(8)->Arg(100)->Arg(4000);

// The server's answer to a one-row Query: RowDescription, DataRow, CommandComplete, ReadyForQuery.
void TrackSimpleQuery(benchmark::State& state) {
  ReplyTracker tracker;
  for (auto _ : state) {
    tracker.OnRequest(Request::kQuery);
    for (const char type : {'T', 'D', 'C', 'Z'}) tracker.OnReply(type);
    benchmark::DoNotOptimize(tracker.idle());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TrackSimpleQuery);

void TrackExtendedQuery(benchmark::State& state) {
  ReplyTracker tracker;
  for (auto _ : state) {
    for (const Request request : {Request::kParse, Request::kBind, Request::kDescribePortal,
                                  Request::kExecute, Request::kSync}) {
      tracker.OnRequest(request);
    }
    for (const char type : {'1', '2', 'T', 'D', 'C', 'Z'}) tracker.OnReply(type);
    benchmark::DoNotOptimize(tracker.idle());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TrackExtendedQuery);

void LookForCommit(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MayCommit(kStatement));
}
BENCHMARK(LookForCommit);

void LookWhetherItMayBeSentAgain(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MayBeSentAgain(kStatement));
}
BENCHMARK(LookWhetherItMayBeSentAgain);

// When client and backend hold settings of equal value in different objects: once for each pair.
void CompareSettings(benchmark::State& state) {
  Parameters ours;
  for (const std::string_view name : ReportedNames()) ours.Report(name, "some value");
  const Parameters theirs = ours;
  for (auto _ : state) benchmark::DoNotOptimize(ours == theirs);
}
BENCHMARK(CompareSettings);

}  // namespace
}  // namespace pgweir::wire

BENCHMARK_MAIN();
