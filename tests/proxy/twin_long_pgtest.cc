// The twin test for minutes, each script a new one; $PGWEIR_TWIN_SEED is the first one's seed.

#include "tests/proxy/twin_check.h"

namespace pgweir::test {
namespace {

constexpr size_t kSteps = 400;

void ExpectTwins(TwinRunner& runner, std::chrono::minutes time) {
  uint64_t seed = TwinFreshSeed();
  const auto end = std::chrono::steady_clock::now() + time;
  size_t scripts = 0;
  for (; std::chrono::steady_clock::now() < end && !testing::Test::HasFailure(); ++seed) {
    ExpectTwin(runner, seed, kSteps, TwinPool(seed));
    ++scripts;
  }
  fmt::print("{} scripts of {} steps, the last from seed {}\n", scripts, kSteps, seed - 1);
}

TEST(TwinLong, TransactionModeAnswersAsTheServerDoesForMinutes) {
  TwinRunner runner;
  ExpectTwins(runner, std::chrono::minutes(5));
}

TEST(TwinLong, ShardedDatabaseAnswersAsTheServerDoesForMinutes) {
  TwinRunner runner(TwinRunner::Database::kSharded);
  ExpectTwins(runner, std::chrono::minutes(2));
}

TEST(TwinLong, CachedDatabaseAnswersAsTheServerDoesForMinutes) {
  TwinRunner runner(TwinRunner::Database::kCached);
  ExpectTwins(runner, std::chrono::minutes(2));
}

}  // namespace
}  // namespace pgweir::test
