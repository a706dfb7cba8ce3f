#pragma once

#include <cstdlib>
#include <memory>
#include <random>

#include "fmt/format.h"
#include "tests/support/four_shards.h"
#include "tests/support/oracle_generator.h"
#include "tests/support/oracle_runner.h"

namespace pgweir::test {

// Four nodes, and one server that has all their rows and views of them.
class OracleTest : public FourShards {
 protected:
  static constexpr size_t kUnits = 60;

  static void SetUpTestSuite() {
    FourShards::SetUpTestSuite();
    for (const std::string& place : Nodes()) server().Query(kMore, place);
    server().Query(kMore, "whole");
    server().Query("create database twin template whole");
    runner_ = std::make_unique<OracleRunner>(Places(Conninfo()));
  }
  static void TearDownTestSuite() {
    runner_.reset();
    FourShards::TearDownTestSuite();
  }

  static OraclePlaces Places(std::string through) {
    OraclePlaces places{server().SocketConninfo("postgres", "whole"), std::move(through), {}};
    for (const std::string& node : Nodes()) {
      places.nodes.push_back({server().SocketConninfo("postgres", node), Owns(node)});
    }
    return places;
  }

  // $PGWEIR_ORACLE_SEED to see a script again, else a new one.
  static uint64_t FreshSeed() {
    const char* given = std::getenv("PGWEIR_ORACLE_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  }

  // A failure shows the shortest script found that is answered otherwise.
  static void ExpectAlike(uint64_t seed, OracleTally& tally) {
    OracleScript script = OracleGenerator(seed).Make(kUnits);
    const std::optional<OracleDifference> first = runner_->Run(script, &tally);
    if (!first) return;
    script.resize(first->unit + 1);
    script = runner_->Shrink(std::move(script), std::chrono::seconds(20));
    const std::optional<OracleDifference> shown = runner_->Run(script, nullptr);
    ADD_FAILURE() << fmt::format("PGWEIR_ORACLE_SEED={}\n{}-> the last of unit {}:\n{}", seed,
                                 ShowScript(script), (shown ? *shown : *first).unit + 1,
                                 (shown ? *shown : *first).what);
  }

  static void Show(const OracleTally& tally) {
    for (const auto& [kind, count] : tally) {
      fmt::print("{:20} {:6} answered ({} with an error), {:6} refused, {:6} decided\n", kind,
                 count.answered, count.failed, count.refused, count.decided);
    }
  }

  // Refusing everything of a kind, or failing alike, proves nothing.
  static void ExpectAnswers(const OracleTally& tally) {
    Show(tally);
    if (HasFailure()) return;
    OracleCount all;
    for (const auto& [kind, count] : tally) {
      all.answered += count.answered;
      all.failed += count.failed;
      all.refused += count.refused;
      all.decided += count.decided;
      // Those two are hardly ever of one node.
      if (kind != "replicated write" && kind != "merge") {
        EXPECT_GT(count.answered, count.failed) << kind;
      }
    }
    EXPECT_GT(all.answered, 2 * all.refused);
    EXPECT_GT(all.answered, 2 * all.failed);
    EXPECT_GT(all.decided, all.refused);
  }

  static std::unique_ptr<OracleRunner> runner_;

 private:
  static constexpr const char* kMore = R"(
alter table trades alter at set default '2024-01-01';
create view all_trades as select id, symbol, price, at from trades where price > 0;
create view per_symbol as select symbol, count(*) as n from trades group by symbol;
create view twofold as select symbol, price as n from trades union all
                       select symbol, high from candles;
create view last_five as select * from trades order by id desc, symbol limit 5;
create view of_btc as select * from trades where symbol = 'BTCUSDT';
)";
};

inline std::unique_ptr<OracleRunner> OracleTest::runner_;

}  // namespace pgweir::test
