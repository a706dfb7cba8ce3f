#include "observe/slow_log_policy.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/observe/record_fixture.h"

namespace pgweir::observe {
namespace {

using std::chrono::milliseconds;

class Policy : public testing::Test {
 protected:
  bool Wants(uint64_t total_us, uint32_t random = kMost) {
    example_.record.times.total_us = total_us;
    return SlowLogPolicy(options_).Wants(example_.record, random);
  }

  static constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  config::SlowLog options_;
  ExampleStatement example_;
};

TEST_F(Policy, WantsWhatTakesAsLongAsTheThreshold) {
  EXPECT_TRUE(Wants(100'000));
  EXPECT_FALSE(Wants(99'999));
  options_.threshold = milliseconds(0);
  EXPECT_TRUE(Wants(0));
}

TEST_F(Policy, WantsErrorsUnlessToldNotTo) {
  example_.record.sqlstate = "57014";
  EXPECT_TRUE(Wants(1));
  options_.errors = false;
  EXPECT_FALSE(Wants(1));
  EXPECT_TRUE(Wants(100'000));
}

TEST_F(Policy, WantsAShareOfTheFasterOnes) {
  options_.sample = 0.25;
  EXPECT_TRUE(Wants(1, 0));
  EXPECT_TRUE(Wants(1, kMost / 4));
  EXPECT_FALSE(Wants(1, kMost / 4 + 1));
  options_.sample = 1;
  EXPECT_TRUE(Wants(1, kMost));
  options_.sample = 0;
  EXPECT_FALSE(Wants(1, 0));
}

TEST_F(Policy, GoesByTheFirstRuleThatMatches) {
  options_.rules = {{"shop", "bob", std::nullopt, milliseconds(1), std::nullopt},
                    {"", "alice", 0x00ab, milliseconds(500), std::nullopt},
                    {"shop", "", std::nullopt, milliseconds(10), std::nullopt}};
  EXPECT_FALSE(Wants(499'999));
  EXPECT_TRUE(Wants(500'000));
  example_.record.digest = 1;
  EXPECT_TRUE(Wants(10'000));
  EXPECT_FALSE(Wants(9'999));
  example_.client.user = "bob";
  EXPECT_TRUE(Wants(1'000));
  example_.client.database = "other";
  EXPECT_FALSE(Wants(99'999));
}

TEST_F(Policy, TakesWhatARuleLeavesOutFromTheWhole) {
  options_.sample = 1;
  options_.rules = {{"shop", "", std::nullopt, milliseconds(500), std::nullopt}};
  EXPECT_TRUE(Wants(1));
  options_.sample = 0;
  options_.rules = {{"shop", "", std::nullopt, std::nullopt, 1.0}};
  EXPECT_TRUE(Wants(1));
  EXPECT_TRUE(Wants(100'000));
  example_.client.database = "other";
  EXPECT_FALSE(Wants(1));
}

}  // namespace
}  // namespace pgweir::observe
