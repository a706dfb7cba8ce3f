#include <gtest/gtest.h>

#include "tests/support/cache_checker.h"

namespace pgweir::test {
namespace {

TEST(CacheChecker, NoReadIsOlderThanItsRuleAllows) {
  const CacheCheck::Outcome outcome = CacheCheck{1, std::chrono::seconds(8)}.Run();
  EXPECT_EQ(outcome.behind, 0u) << outcome.story;
  EXPECT_GT(outcome.writes, 100u);
  EXPECT_GT(outcome.hits, outcome.reads / 100);
}

}  // namespace
}  // namespace pgweir::test
