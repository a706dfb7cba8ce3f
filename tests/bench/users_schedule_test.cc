#include "bench/users_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgweir::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Schedule::Clock::time_point kStart{};

std::vector<Schedule::Clock::time_point> AllOf(Schedule schedule) {
  std::vector<Schedule::Clock::time_point> due;
  for (auto next = schedule.Next(); next; next = schedule.Next()) {
    due.push_back(*next);
    schedule.Advance();
  }
  return due;
}

TEST(Schedule, HasTheRateOnAverage) {
  ScheduleOptions options;
  options.rate = 100;
  options.duration = seconds(100);
  const auto due = AllOf(Schedule(options, kStart, 1));
  EXPECT_NEAR(static_cast<double>(due.size()), 10'000, 400);
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end()));
  EXPECT_LT(due.back(), kStart + seconds(100));
}

TEST(Schedule, UsersComeOneByOne) {
  ScheduleOptions options;
  options.users = 4;
  options.ramp = seconds(4);
  options.duration = seconds(4);
  options.pause_min = options.pause_max = seconds(60);
  const auto due = AllOf(Schedule(options, kStart, 1));
  ASSERT_EQ(due.size(), 4U);
  EXPECT_EQ(due.front(), kStart + milliseconds(500));
  EXPECT_EQ(due.back(), kStart + milliseconds(3500));
}

TEST(Schedule, UsersWorkAndPauseBetweenTheirRequests) {
  ScheduleOptions options;
  options.users = 1;
  options.work = milliseconds(500);
  options.duration = seconds(60);
  const auto due = AllOf(Schedule(options, kStart, 1));
  ASSERT_GE(due.size(), 60U / 4);
  for (size_t i = 1; i < due.size(); ++i) {
    EXPECT_GE(due[i] - due[i - 1], milliseconds(1500));
    EXPECT_LE(due[i] - due[i - 1], milliseconds(3500));
  }
}

}  // namespace
}  // namespace pgweir::bench
