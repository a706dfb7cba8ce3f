#include "pooler/pool_policy.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

config::Pool Limits(int size, int overflow, int min_size = 0) {
  config::Pool limits;
  limits.size = size;
  limits.overflow = overflow;
  limits.min_size = min_size;
  return limits;
}

TEST(BackendsToOpen, AreWhatWaitersNeedWithinTheLimit) {
  struct Case {
    int size, overflow, open, connecting, waiting, expected;
  };
  for (const Case& c : {Case{10, 0, 0, 0, 0, 0}, Case{10, 0, 0, 0, 3, 3}, Case{10, 0, 0, 3, 3, 0},
                        Case{10, 0, 9, 0, 3, 1}, Case{10, 0, 10, 0, 3, 0}, Case{10, 5, 10, 0, 3, 3},
                        Case{10, 5, 14, 0, 3, 1}, Case{10, 0, 5, 5, 9, 0}, Case{10, 0, 12, 0, 9, 0},
                        Case{1, 0, 0, 2, 1, 0}}) {
    EXPECT_EQ(BackendsToOpen(Limits(c.size, c.overflow), c.open, c.connecting, c.waiting),
              c.expected)
        << c.size << '+' << c.overflow << " open " << c.open << " connecting " << c.connecting
        << " waiting " << c.waiting;
  }
}

TEST(BackendsToKeepReady, FillUpToTheMinimum) {
  EXPECT_EQ(BackendsToKeepReady(Limits(10, 0, 4), 0, 0), 4);
  EXPECT_EQ(BackendsToKeepReady(Limits(10, 0, 4), 2, 1), 1);
  EXPECT_EQ(BackendsToKeepReady(Limits(10, 0, 4), 6, 0), 0);
  EXPECT_EQ(BackendsToKeepReady(Limits(10, 0, 0), 0, 0), 0);
}

TEST(ConnectBackoff, DoublesFrom100MsToASecondWithJitter) {
  EXPECT_EQ(ConnectBackoff(1, 0), milliseconds(50));
  EXPECT_NEAR(std::chrono::duration<double>(ConnectBackoff(1, 0.999)).count(), 0.1, 0.001);
  EXPECT_EQ(ConnectBackoff(2, 0), milliseconds(100));
  EXPECT_EQ(ConnectBackoff(4, 0), milliseconds(400));
  EXPECT_EQ(ConnectBackoff(5, 0), milliseconds(500));
  EXPECT_EQ(ConnectBackoff(1'000'000, 0), milliseconds(500));
}

TEST(MaxConnectPause, LeavesSeveralAttemptsToAWaitingClient) {
  EXPECT_EQ(MaxConnectPause(seconds(2)), milliseconds(500));
  EXPECT_EQ(MaxConnectPause(Duration::zero()), Duration::max());
}

TEST(RetireAt, IsUpToATenthEarly) {
  const TimePoint opened = Clock::now();
  EXPECT_EQ(RetireAt(opened, seconds(100), 0), opened + seconds(100));
  EXPECT_EQ(RetireAt(opened, seconds(100), 0.5), opened + seconds(95));
  EXPECT_EQ(RetireAt(opened, Duration::zero(), 0.5), kNoDeadline);
}

TEST(WorthRetrying, IsWhatPassesByItself) {
  for (const char* state : {"08001", "08006", "53300", "57P03", "57P01"}) {
    EXPECT_TRUE(WorthRetrying(Error(state, "x"))) << state;
  }
  for (const char* state : {"28P01", "28000", "3D000", "42501", "XX000"}) {
    EXPECT_FALSE(WorthRetrying(Error(state, "x"))) << state;
  }
}

}  // namespace
}  // namespace pgweir::pooler
