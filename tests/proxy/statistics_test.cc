#include "proxy/statistics.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

uint64_t At(const StatValues& values, Stat stat) { return values[static_cast<size_t>(stat)]; }

TEST(Statistics, SumWorkersByDatabaseAndAllOfThem) {
  Statistics statistics(2);
  statistics.Of("b", 0).Add(Stat::kQueries);
  statistics.Of("b", 1).Add(Stat::kQueries, 2);
  statistics.Of("a", 1).Add(Stat::kSent, 10);
  statistics.Of("a", 0).Add(Stat::kQueryTime, microseconds(1500));
  const auto rows = statistics.Read();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].database, "a");
  EXPECT_EQ(At(rows[0].totals, Stat::kSent), 10u);
  EXPECT_EQ(At(rows[0].totals, Stat::kQueryTime), 1500u);
  EXPECT_EQ(rows[1].database, "b");
  EXPECT_EQ(At(rows[1].totals, Stat::kQueries), 3u);
  EXPECT_EQ(At(rows[2].totals, Stat::kQueries), 3u);
  EXPECT_EQ(At(rows[2].totals, Stat::kSent), 10u);
}

TEST(Statistics, AverageCountsOverSecondsAndTimesOverWhatTookThem) {
  StatValues older{}, newer{};
  const auto set = [&](Stat stat, uint64_t value) { newer[static_cast<size_t>(stat)] = value; };
  set(Stat::kQueries, 600);
  set(Stat::kQueryTime, 600'000'000);  // 1 ms each
  set(Stat::kXacts, 300);
  set(Stat::kXactTime, 600'000'000);
  set(Stat::kAssignments, 100);
  set(Stat::kWaitTime, 50'000'000);
  const StatValues averages = Averages(older, newer, seconds(60));
  EXPECT_EQ(At(averages, Stat::kQueries), 10u);
  EXPECT_EQ(At(averages, Stat::kQueryTime), 1000u);
  EXPECT_EQ(At(averages, Stat::kXactTime), 2000u);
  EXPECT_EQ(At(averages, Stat::kWaitTime), 500u);
  EXPECT_EQ(Averages(older, newer, seconds(0)), StatValues{});
  EXPECT_EQ(Averages(newer, newer, seconds(60)), StatValues{});
}

TEST(Statistics, ShowTheAveragesOfTheLastFullPeriod) {
  Statistics statistics(1);
  Counters& counters = statistics.Of("a", 0);
  const auto average = [&] { return At(statistics.Read()[0].averages, Stat::kQueries); };
  const TimePoint start = Clock::now();
  counters.Add(Stat::kQueries, 6000);
  EXPECT_EQ(average(), 0u);  // the first period is not over
  statistics.EndPeriod(start + seconds(60));
  EXPECT_NEAR(static_cast<double>(average()), 100, 1);
  counters.Add(Stat::kQueries, 600);
  EXPECT_NEAR(static_cast<double>(average()), 100, 1);
  statistics.EndPeriod(start + seconds(120));
  EXPECT_EQ(average(), 10u);
  statistics.EndPeriod(start + seconds(180));
  EXPECT_EQ(average(), 0u);
}

}  // namespace
}  // namespace pgweir::proxy
