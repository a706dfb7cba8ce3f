// The oracle: what pgweir answers from four nodes is what one server with all the rows answers, or
// 0A000.

#include "tests/proxy/oracle_check.h"

namespace pgweir::test {
namespace {

constexpr uint64_t kFixedSeeds = 20;

using RoutingOracle = OracleTest;

TEST_F(RoutingOracle, OneServerAnswersTheSameOnFixedSeeds) {
  OracleTally tally;
  for (uint64_t seed = 1; seed <= kFixedSeeds && !HasFailure(); ++seed) ExpectAlike(seed, tally);
  ExpectAnswers(tally);
}

// The harness tells apart nothing that is alike.
TEST_F(RoutingOracle, OneServerAnswersTheSameAsAnother) {
  const std::string twin = server().SocketConninfo("postgres", "twin");
  OracleRunner runner({server().SocketConninfo("postgres", "whole"), twin, {{twin, "true"}}});
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const OracleScript script = OracleGenerator(seed).Make(kUnits);
    const auto difference = runner.Run(script, nullptr);
    ASSERT_FALSE(difference.has_value())
        << "seed " << seed << "\n"
        << ShowStep(script[difference->unit][difference->step]) << difference->what;
  }
}

// A node is not the whole; and little is left of the script that tells.
TEST_F(RoutingOracle, SeesRowsThatAreMissing) {
  OracleRunner runner(Places(server().SocketConninfo("postgres", "rest")));
  OracleScript script = OracleGenerator(1).Make(kUnits);
  ASSERT_TRUE(runner.Run(script, nullptr).has_value());
  script = runner.Shrink(std::move(script), std::chrono::seconds(10));
  EXPECT_TRUE(runner.Run(script, nullptr).has_value());
  EXPECT_LE(script.size(), 2u) << ShowScript(script);
}

// Rows that a client would never see are found as well.
TEST_F(RoutingOracle, SeesRowsOnTheWrongNode) {
  At("btc", "alter table candles drop constraint own");
  OracleStep step{.kind = "insert",
                  .sql = "insert into candles values ('ETH', '2030-01-01', 1)",
                  .executions = {{}}};
  OracleRunner runner(Places(server().SocketConninfo("postgres", "btc")));
  const auto difference = runner.Run({{step}}, nullptr);
  ASSERT_TRUE(difference.has_value());
  EXPECT_NE(difference->what.find("candles of node 0 should hold"), std::string::npos)
      << difference->what;
  At("btc", "delete from candles where symbol = 'ETH'");
  At("btc", "alter table candles add constraint own check (" + Owns("btc") + ")");
}

}  // namespace
}  // namespace pgweir::test
