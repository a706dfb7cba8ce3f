// The oracle for minutes, each script a new one; $PGWEIR_ORACLE_SEED is the first one's seed.

#include "tests/proxy/oracle_check.h"

namespace pgweir::test {
namespace {

using RoutingOracleLong = OracleTest;

TEST_F(RoutingOracleLong, OneServerAnswersTheSameForMinutes) {
  OracleTally tally;
  uint64_t seed = FreshSeed();
  fmt::print("seed {}\n", seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  for (; std::chrono::steady_clock::now() < end && !HasFailure(); ++seed) ExpectAlike(seed, tally);
  ExpectAnswers(tally);
}

}  // namespace
}  // namespace pgweir::test
