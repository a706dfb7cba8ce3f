#include "proxy/shard_statistics.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

namespace pgweir::proxy {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

double QuantileOf(const std::vector<microseconds>& times, double share) {
  LatencyHistogram histogram;
  for (const microseconds time : times) histogram.Add(time);
  LatencyHistogram::Counts counts{};
  histogram.AddTo(counts);
  return LatencyHistogram::Quantile(counts, share).value_or(-1);
}

TEST(LatencyHistogram, IsWithinASixteenthOfTheTruth) {
  for (int64_t us = 1; us < (int64_t{1} << 36); us += us / 7 + 1) {
    EXPECT_NEAR(QuantileOf({microseconds(us)}, 0.5), static_cast<double>(us),
                static_cast<double>(us) / 16)
        << us;
  }
}

TEST(LatencyHistogram, KnowsWhatAShareDoesNotExceed) {
  std::vector<microseconds> times(95, microseconds(4));
  times.insert(times.end(), 5, microseconds(1'000'000));
  EXPECT_EQ(QuantileOf(times, 0.95), 4);
  EXPECT_NEAR(QuantileOf(times, 0.96), 1e6, 1e6 / 16);
  EXPECT_EQ(QuantileOf({}, 0.95), -1);
}

TEST(LatencyHistogram, TakesWhateverAClockSays) {
  EXPECT_EQ(QuantileOf({microseconds(-5)}, 0.5), 0);
  EXPECT_GT(QuantileOf({hours(100'000)}, 0.5), 6e10);
}

TEST(ShardStatistics, AddUpWorkersAndOutliveMaps) {
  config::ShardMap source;
  source.patterns = {{"BTC", true, "one"}, {"", true, "two"}};
  source.default_node = "two";
  const std::vector<std::string> nodes = {"one", "two"};
  ShardStatistics all;
  PatternCountersOfWorker first(all, 0), second(all, 1);
  for (int round = 0; round < 2; ++round) {
    const auto map = router::ShardMap::Compile(source, nodes);
    first.Of(map, "market", 0)->Answered(microseconds(5));
    second.Of(map, "market", 0)->AddRows(7);
    EXPECT_EQ(first.Of(map, "market", 0), first.Of(map, "market", 0));
    EXPECT_EQ(first.Of(map, "market", router::kNoPattern), nullptr);
  }
  const PatternCounters::Values values = all.Read("market", "BTC*");
  EXPECT_EQ(values.statements, 2u);
  EXPECT_EQ(values.rows, 14u);
  EXPECT_EQ(values.times[5], 2u);
  EXPECT_EQ(all.Read("market", "*").statements, 0u);
  EXPECT_EQ(all.Read("other", "BTC*").statements, 0u);
}

TEST(RowsOf, AreTheLastNumberOfATag) {
  EXPECT_EQ(RowsOf("SELECT 5"), 5u);
  EXPECT_EQ(RowsOf("INSERT 0 3"), 3u);
  EXPECT_EQ(RowsOf("BEGIN"), 0u);
  EXPECT_EQ(RowsOf("CREATE TABLE"), 0u);
  EXPECT_EQ(RowsOf(""), 0u);
}

}  // namespace
}  // namespace pgweir::proxy
