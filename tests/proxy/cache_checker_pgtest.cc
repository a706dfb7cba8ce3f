#include <gtest/gtest.h>

#include "tests/support/cache_checker.h"

namespace pgweir::test {
namespace {

TEST(CacheChecker, NoReadIsOlderThanItsRuleAllows) {
  for (const uint64_t seed : {1u, 2u}) {
    const CacheCheck::Outcome outcome = CacheCheck{seed, std::chrono::seconds(8)}.Run();
    EXPECT_EQ(outcome.behind, 0u) << "seed " << seed << ": " << outcome.story;
    EXPECT_GT(outcome.writes, 100u);
    EXPECT_GT(outcome.hits, outcome.reads / 100);
  }
}

}  // namespace
}  // namespace pgweir::test
