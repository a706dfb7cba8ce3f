#include "report/summary.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "report/timestamp.h"
#include "report/totals.h"
#include "tests/report/log_lines.h"

namespace pgweir::report {
namespace {

uint64_t ExactQuantile(std::vector<uint64_t> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

TEST(QuantileSketch, IsWithinItsErrorOfTheTruth) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> distribution(9, 1);
  QuantileSketch whole, left, right;
  std::vector<uint64_t> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<uint64_t>(distribution(random)) + 1);
    whole.Add(values.back());
    (i % 3 == 0 ? left : right).Add(values.back());
  }
  left.Merge(right);
  for (const double q : {0.25, 0.5, 0.9, 0.95, 0.99, 1.0}) {
    const auto exact = static_cast<double>(ExactQuantile(values, q));
    EXPECT_NEAR(whole.Quantile(q), exact, exact * 0.0251) << q;
    EXPECT_DOUBLE_EQ(left.Quantile(q), whole.Quantile(q)) << q;
  }
  EXPECT_EQ(QuantileSketch().Quantile(0.5), 0);
}

TEST(QuantileSketch, KeepsHighQuantilesWhenValuesAreOfAllSizes) {
  QuantileSketch sketch;
  std::vector<uint64_t> values;
  for (double value = 1; value < 1e12; value *= 1.01)
    values.push_back(static_cast<uint64_t>(value));
  for (const uint64_t value : values) sketch.Add(value);
  EXPECT_EQ(sketch.buckets().size(), QuantileSketch::kMaxBuckets);
  for (const double q : {0.8, 0.95, 0.99}) {
    const auto exact = static_cast<double>(ExactQuantile(values, q));
    EXPECT_NEAR(sketch.Quantile(q), exact, exact * 0.0251) << q;
  }
}

// What a summary says is held against sums over all statements, made in the simplest way.
struct Truth {
  uint64_t calls = 0, queue = 0, total = 0;
  std::vector<uint64_t> totals;

  void Add(const LineOptions& line) {
    ++calls;
    queue += line.queue;
    total += line.total;
    totals.push_back(line.total);
  }
};

void ExpectSame(const Measures& measures, const Truth& truth) {
  EXPECT_EQ(measures.calls, truth.calls);
  EXPECT_EQ(measures.time.queue, truth.queue);
  EXPECT_EQ(measures.time.total, truth.total);
  EXPECT_EQ(measures.rows, truth.calls * 3);
  const auto exact = static_cast<double>(ExactQuantile(truth.totals, 0.95));
  EXPECT_NEAR(measures.durations.Quantile(0.95), exact, exact * 0.0251);
}

TEST(Summary, AgreesWithBruteForce) {
  std::mt19937 random(7);
  const auto below = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  Summary summary;
  std::map<std::string, Truth> digests, shards;
  std::map<std::pair<std::string, int64_t>, Truth> users_and_slots;
  std::vector<std::pair<LineOptions, int64_t>> lines;
  std::vector<std::string> times;
  times.reserve(5000);
  const std::string names[] = {"d1", "d2", "d3", "d4", "d5", "d6", "d7"};
  Truth all;
  for (int i = 0; i < 5000; ++i) {
    const int64_t second = 1795255200 + below(7200);
    times.push_back(FormatSecond(second) + " UTC");
    const LineOptions line{.timestamp = times.back(),
                           .user = below(2) == 0 ? "app" : "job",
                           .digest = names[below(7)],
                           .shards = below(3) == 0 ? R"(["a","b"])" : R"(["a"])",
                           .queue = below(1000),
                           .server = below(100000),
                           .transfer = 0,
                           .total = 101000 + below(100000)};
    AddLine(summary, line);
    lines.emplace_back(line, second);
    all.Add(line);
    digests[std::string(line.digest)].Add(line);
    shards["a"].Add(line);
    if (line.shards.size() > 5) shards["b"].Add(line);
  }
  for (const auto& [line, second] : lines) {
    users_and_slots[{std::string(line.user), second / summary.traffic().width()}].Add(line);
  }

  ExpectSame(GrandTotal(summary), all);
  const auto totals = DigestTotals(summary, Order::kTotal);
  ASSERT_EQ(totals.size(), 7U);
  for (const DigestTotal& total : totals) {
    ExpectSame(total.measures, digests[summary.digests().list()[total.digest].id]);
  }
  EXPECT_TRUE(std::is_sorted(totals.begin(), totals.end(), [](const auto& a, const auto& b) {
    return a.measures.time.total > b.measures.time.total;
  }));
  for (const ShardTotal& shard : ShardTotals(summary))
    ExpectSame(shard.measures, shards[shard.name]);

  std::map<std::pair<std::string, int64_t>, Measures> seen;
  summary.traffic().ForEach([&](TimeCube::Series group, int64_t slot, const Measures& measures) {
    seen[{summary.groups().list()[group].user, slot}].Merge(measures);
  });
  ASSERT_EQ(seen.size(), users_and_slots.size());
  for (const auto& [key, measures] : seen) ExpectSame(measures, users_and_slots[key]);
  EXPECT_LE(summary.traffic().slots(), Summary::kTrafficSlots);
}

TEST(Summary, KeepsTheSlowestStatementsOfADigest) {
  Summary summary;
  uint64_t line = 0;
  for (const uint64_t total : {5000, 9000, 7000, 1000, 8000}) {
    const std::string sql = fmt::format("SELECT {}", total);
    AddLine(summary, {.queue = 0, .server = 0, .total = total, .sql = sql}, {0, ++line});
  }
  const Digest& digest = summary.digests().list()[1];
  ASSERT_EQ(digest.slowest.size(), 3U);
  EXPECT_EQ(digest.slowest[0].sql, "SELECT 9000");
  EXPECT_EQ(digest.slowest[1].sql, "SELECT 8000");
  EXPECT_EQ(digest.slowest[2].sql, "SELECT 7000");
  EXPECT_EQ(digest.slowest[1].place.line, 5U);
  EXPECT_EQ(digest.outline, "SELECT ?");
}

TEST(Summary, FiltersByNameAndTime) {
  const auto counted = [](const Filter& filter) {
    Summary summary(filter);
    AddLine(summary, {.timestamp = "2026-11-21 10:00:00 UTC", .user = "a", .database = "x"});
    AddLine(summary, {.timestamp = "2026-11-21 11:00:00 UTC", .user = "b", .shards = "[\"n\"]"});
    EXPECT_EQ(summary.lines().statements + summary.lines().filtered, 2U);
    return summary.lines().statements;
  };
  EXPECT_EQ(counted({}), 2U);
  EXPECT_EQ(counted({.user = "a"}), 1U);
  EXPECT_EQ(counted({.database = "x", .user = "b"}), 0U);
  EXPECT_EQ(counted({.shard = "n"}), 1U);
  EXPECT_EQ(counted({.from = *ParseTimestamp("2026-11-21 11:00")}), 1U);
  EXPECT_EQ(counted({.until = *ParseTimestamp("2026-11-21 11:00")}), 1U);
}

TEST(Summary, IsBoundedAndLosesNothingWithEndlessNames) {
  Summary summary;
  Truth all;
  std::vector<std::string> kept;
  for (int i = 0; i < 20000; ++i) {
    const std::string digest = fmt::format("{:016x}", i);
    const std::string user = fmt::format("user{}", i % 997);
    const std::string time = FormatSecond(1795255200 + i * 60LL) + " UTC";
    // One digest in 500 is heavy, and comes again.
    const bool heavy = i % 500 == 0;
    const LineOptions line{.timestamp = time,
                           .user = user,
                           .digest = heavy ? "heavy" : std::string_view(digest),
                           .total = heavy ? 10'000'000U : 4000U};
    AddLine(summary, line);
    all.Add(line);
  }
  EXPECT_LE(summary.digests().list().size(), Digests::kMaxDigests);
  EXPECT_LE(summary.groups().list().size(), Groups::kMaxGroups);
  EXPECT_LE(summary.by_digest().cells(), Summary::kMaxDigestCells);
  EXPECT_LE(summary.by_digest().slots(), Summary::kDigestSlots);
  EXPECT_LE(summary.traffic().cells(), Groups::kMaxGroups * Summary::kTrafficSlots);
  ExpectSame(GrandTotal(summary), all);
  Measures by_digest;
  const auto totals = DigestTotals(summary, Order::kTotal);
  for (const DigestTotal& total : totals) by_digest.Merge(total.measures);
  EXPECT_EQ(by_digest.calls, all.calls);
  EXPECT_EQ(by_digest.time.total, all.total);
  EXPECT_EQ(summary.digests().list()[totals[0].digest].id, "heavy");
  EXPECT_EQ(totals[0].measures.calls, 40U);
}

TEST(TimeCube, GetsCoarserInsteadOfLarger) {
  Statement statement;
  statement.time.total = 10;
  TimeCube cube(240);
  for (int64_t day = 0; day < 3650; ++day) {
    statement.at = (946684800 + day * 86400) * 1'000'000;
    cube.Add(1, statement);
  }
  EXPECT_LE(cube.slots(), 240);
  EXPECT_GT(cube.slots(), 20);
  uint64_t calls = 0;
  cube.ForEach([&](TimeCube::Series series, int64_t slot, const Measures& measures) {
    EXPECT_EQ(series, 1U);
    EXPECT_GE(slot, cube.first());
    EXPECT_LT(slot, cube.first() + cube.slots());
    calls += measures.calls;
  });
  EXPECT_EQ(calls, 3650U);
}

}  // namespace
}  // namespace pgweir::report
