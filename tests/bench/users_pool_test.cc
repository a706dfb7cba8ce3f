#include "bench/users_pool.h"

#include <gtest/gtest.h>

namespace pgweir::bench {
namespace {

using std::chrono::milliseconds;

constexpr AppPool::Clock::time_point kNow{};

class TwoAndOne : public ::testing::Test {
 protected:
  // Requests 1, 2 and 3 open connections 11, 12 and 13.
  void CheckOutAll() {
    for (uint64_t request : {1, 2, 3}) {
      const auto grant = pool_.CheckOut(request, kNow);
      ASSERT_TRUE(grant);
      EXPECT_FALSE(grant->connection);
    }
  }

  AppPool pool_{2, 1, milliseconds(50)};
};

TEST_F(TwoAndOne, OpensUpToSizeAndOverflow) {
  CheckOutAll();
  EXPECT_FALSE(pool_.CheckOut(4, kNow));
  EXPECT_EQ(pool_.open(), 3);
  EXPECT_EQ(pool_.waiting(), 1U);
}

TEST_F(TwoAndOne, ClosesWhatIsGivenBackBeyondSize) {
  CheckOutAll();
  EXPECT_FALSE(pool_.GiveBack(11).close);
  EXPECT_FALSE(pool_.GiveBack(12).close);
  EXPECT_TRUE(pool_.GiveBack(13).close);
  EXPECT_EQ(pool_.open(), 2);
  EXPECT_EQ(pool_.most_open(), 3);
}

TEST_F(TwoAndOne, GivesTheLastUsedFirst) {
  CheckOutAll();
  pool_.GiveBack(11);
  pool_.GiveBack(12);
  EXPECT_EQ(pool_.CheckOut(4, kNow)->connection, 12U);
  EXPECT_EQ(pool_.CheckOut(5, kNow)->connection, 11U);
}

TEST_F(TwoAndOne, ServesTheLineInItsOrder) {
  CheckOutAll();
  pool_.CheckOut(4, kNow);
  pool_.CheckOut(5, kNow);
  const auto given = pool_.GiveBack(12);
  ASSERT_TRUE(given.next);
  EXPECT_EQ(given.next->request, 4U);
  EXPECT_EQ(given.next->connection, 12U);
  EXPECT_FALSE(given.close);
}

TEST_F(TwoAndOne, LetsTheNextInLineOpenInTheLostOnesPlace) {
  CheckOutAll();
  pool_.CheckOut(4, kNow);
  const auto grant = pool_.Lose();
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->request, 4U);
  EXPECT_FALSE(grant->connection);
  EXPECT_EQ(pool_.open(), 3);
}

TEST_F(TwoAndOne, TimesOutWhoHasWaitedLongEnough) {
  CheckOutAll();
  pool_.CheckOut(4, kNow);
  pool_.CheckOut(5, kNow + milliseconds(10));
  EXPECT_EQ(pool_.NextTimeOut(), kNow + milliseconds(50));
  EXPECT_EQ(pool_.TimeOut(kNow + milliseconds(49)), std::vector<uint64_t>{});
  EXPECT_EQ(pool_.TimeOut(kNow + milliseconds(50)), std::vector<uint64_t>{4});
  EXPECT_EQ(pool_.waiting(), 1U);
}

}  // namespace
}  // namespace pgweir::bench
