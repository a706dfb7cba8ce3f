#include "observe/time_split.h"

#include <gtest/gtest.h>

namespace pgweir::observe {
namespace {

using std::chrono::microseconds;

class Timer : public testing::Test {
 protected:
  TimePoint At(int64_t micros) const { return start_ + microseconds(micros); }

  const TimePoint start_ = Clock::now();
  StatementTimer timer_;
};

TEST_F(Timer, SplitsTheTimeBetweenItsMoments) {
  timer_.Start(At(0));
  timer_.Mark(Moment::kRouted, At(3));
  timer_.Mark(Moment::kGranted, At(1003));
  timer_.AddConnecting(microseconds(300));
  timer_.AddConnecting(microseconds(100));
  timer_.Mark(Moment::kSent, At(1010));
  timer_.Mark(Moment::kTurn, At(1500));
  timer_.Mark(Moment::kFirstByte, At(3500));
  timer_.Mark(Moment::kLastByte, At(4500));
  timer_.AddBlocked(microseconds(700));
  const TimeSplit split = timer_.Split();
  EXPECT_EQ(split.route_us, 3u);
  EXPECT_EQ(split.wait_us, 1000u);
  EXPECT_EQ(split.connect_us, 400u);
  EXPECT_EQ(split.sync_us, 7u);
  EXPECT_EQ(split.ahead_us, 490u);
  EXPECT_EQ(split.backend_us, 2000u);
  EXPECT_EQ(split.transfer_us, 1000u);
  EXPECT_EQ(split.blocked_us, 700u);
  EXPECT_EQ(split.total_us, 4500u);
}

TEST_F(Timer, GivesTheTimeOfWhatIsNotMarkedToWhatFollows) {
  timer_.Start(At(0));
  timer_.Mark(Moment::kRouted, At(5));
  timer_.Mark(Moment::kLastByte, At(25));
  const TimeSplit split = timer_.Split();
  EXPECT_EQ(split.route_us, 5u);
  EXPECT_EQ(split.wait_us + split.sync_us + split.ahead_us + split.backend_us, 0u);
  EXPECT_EQ(split.transfer_us, 20u);
  EXPECT_EQ(split.total_us, 25u);
}

TEST_F(Timer, CountsNothingTwiceWhenMomentsAreOutOfOrder) {
  timer_.Start(At(0));
  timer_.Mark(Moment::kGranted, At(50));
  timer_.Mark(Moment::kSent, At(40));
  timer_.Mark(Moment::kTurn, At(10));
  timer_.Mark(Moment::kFirstByte, At(80));
  const TimeSplit split = timer_.Split();
  EXPECT_EQ(split.wait_us, 50u);
  EXPECT_EQ(split.sync_us + split.ahead_us, 0u);
  EXPECT_EQ(split.backend_us, 30u);
  EXPECT_EQ(split.total_us, 80u);
}

TEST_F(Timer, BlamesNoMoreOnAPartThanTheWhole) {
  timer_.Start(At(0));
  timer_.Mark(Moment::kGranted, At(10));
  timer_.AddConnecting(microseconds(20));
  timer_.Mark(Moment::kLastByte, At(30));
  timer_.AddBlocked(microseconds(1000));
  EXPECT_EQ(timer_.Split().connect_us, 10u);
  EXPECT_EQ(timer_.Split().blocked_us, 20u);
}

TEST_F(Timer, ForgetsTheStatementBefore) {
  timer_.Start(At(0));
  timer_.Mark(Moment::kTurn, At(10));
  timer_.AddBlocked(microseconds(5));
  timer_.Start(At(5));
  timer_.Mark(Moment::kLastByte, At(12));
  EXPECT_EQ(timer_.Split().total_us, 7u);
  EXPECT_EQ(timer_.Split().ahead_us, 0u);
  EXPECT_EQ(timer_.Split().blocked_us, 0u);
}

}  // namespace
}  // namespace pgweir::observe
