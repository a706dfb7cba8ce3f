// The twin test for minutes, each script a new one; $PGWEIR_TWIN_SEED is the first one's seed.

#include "tests/proxy/twin_check.h"

namespace pgweir::test {
namespace {

constexpr size_t kSteps = 400;

TEST(TwinLong, TransactionModeAnswersAsTheServerDoesForMinutes) {
  TwinRunner runner;
  uint64_t seed = TwinFreshSeed();
  auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  size_t scripts = 0;
  for (; std::chrono::steady_clock::now() < end && !HasFailure(); ++seed, ++scripts) {
    ExpectTwin(runner, seed, kSteps, TwinPool(seed));
  }
  fmt::print("{} scripts of {} steps, the last from seed {}\n", scripts, kSteps, seed - 1);
}

}  // namespace
}  // namespace pgweir::test
