// The checker of the query cache for five minutes.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/cache_checker.h"

namespace pgweir::test {
namespace {

TEST(CacheCheckerLong, NoReadIsOlderThanItsRuleAllowsForMinutes) {
  const uint64_t seed = std::random_device()();
  const CacheCheck::Outcome outcome = CacheCheck{seed, std::chrono::minutes(5)}.Run();
  fmt::print("seed {}: {} writes, {} reads, {} hits\n", seed, outcome.writes, outcome.reads,
             outcome.hits);
  EXPECT_EQ(outcome.behind, 0u) << "seed " << seed << ": " << outcome.story;
  EXPECT_GT(outcome.hits, outcome.reads / 100);
}

}  // namespace
}  // namespace pgweir::test
