#include "router/hints.h"

#include <gmock/gmock.h>

#include "router/statement_cache.h"
#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

using testing::HasSubstr;

StatusOr<Hints> Parse(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  return HintsOf(sql, scan);
}

std::string FaultOf(std::string_view sql) {
  const auto hints = Parse(sql);
  if (hints.ok()) return "no error";
  EXPECT_EQ(SqlStateOf(hints.status()), "22023");
  return MessageOf(hints.status());
}

TEST(Hints, StandAnywhereInTheStatement) {
  EXPECT_TRUE(Parse("SELECT 1 /* pgweirs: shard=a */").value().empty());
  EXPECT_EQ(Parse("/* pgweir: shard=db_shard_1 */ SELECT 1").value().shard, "db_shard_1");
  EXPECT_EQ(Parse("SELECT /*pgweir:symbol=BTC/USDT*/ 1").value().symbol, "BTC/USDT");
  const Hints hints =
      Parse("SELECT 1 /* pgweir: role = replica , cache=60s */ -- x\n/* pgweir: label=reports */")
          .value();
  EXPECT_EQ(hints.role, Hints::Role::kReplica);
  EXPECT_EQ(hints.cache, (Hints::Cache{false, std::chrono::seconds(60)}));
  EXPECT_EQ(hints.label, "reports");
  EXPECT_TRUE(Parse("/* pgweir: cache=off */ SELECT 1").value().cache->off);
  EXPECT_EQ(Parse("/* pgweir: symbol='it''s, one' */ SELECT 1").value().symbol, "it's, one");
  EXPECT_TRUE(Parse("SELECT '/* pgweir: shard=a */'").value().empty());
}

TEST(Hints, SayWhatIsWrongWithThem) {
  EXPECT_EQ(FaultOf("/* pgweir: node=a */ SELECT 1"),
            "pgweir: unknown key \"node\"; there are shard, symbol, role, label and cache");
  EXPECT_EQ(FaultOf("/* pgweir: role=master */ SELECT 1"),
            "pgweir: role=master: must be primary, replica or auto");
  EXPECT_EQ(FaultOf("/* pgweir: cache=long */ SELECT 1"),
            "pgweir: cache=long: must be a duration such as 60s, or off");
  for (const char* text : {"shard", "shard=", "=a", "shard=a b=c", "shard=a,", "shard='a"}) {
    EXPECT_THAT(FaultOf("/* pgweir: " + std::string(text) + " */ SELECT 1"),
                HasSubstr("must be key=value"))
        << text;
  }
  EXPECT_EQ(FaultOf("/* pgweir: shard=a */ SELECT /* pgweir: shard=b */ 1"),
            "pgweir: shard is given twice");
}

// Trap 17: a hint asks the same map as everything else.
TEST(Hints, Trap17TheMapSaysWhereASymbolLies) {
  const test::Routed routed;
  const auto node = [&](std::string_view sql) {
    return HintedNode(Parse(sql).value(), routed.map());
  };
  EXPECT_EQ(node("SELECT 1").value(), std::nullopt);
  EXPECT_EQ(node("/* pgweir: shard=eth */ SELECT 1").value(), routed.map().Find("eth"));
  for (const char* symbol : {"BTCUSDT", "ETHW", "DOGE", ""}) {
    EXPECT_EQ(node("/* pgweir: symbol='" + std::string(symbol) + "' */ SELECT 1").value(),
              routed.map().NodeFor(symbol));
  }
  EXPECT_EQ(node("/* pgweir: shard=btc, symbol=BTC */ SELECT 1").value(), routed.map().Find("btc"));
  EXPECT_EQ(MessageOf(node("/* pgweir: shard=bnb */ SELECT 1").status()),
            "pgweir: shard=bnb: must be a node: btc, eth, xrp, rest");
  EXPECT_EQ(MessageOf(node("/* pgweir: shard=btc, symbol=ETH */ SELECT 1").status()),
            "pgweir: symbol=ETH lies on eth, not on shard=btc");
}

TEST(Hints, AreNotSharedWithTheFacts) {
  StatementCache cache;
  const std::string_view one = "/* pgweir: shard=a */ SELECT 1";
  const std::string_view other = "/* pgweir: shard=b */ SELECT 1";
  const FactsRef facts = cache.Find(one);
  EXPECT_EQ(HintsOf(one, cache.scan()).value().shard, "a");
  EXPECT_EQ(cache.Find(other), facts);
  EXPECT_EQ(HintsOf(other, cache.scan()).value().shard, "b");
  EXPECT_EQ(cache.Find(one), facts);
  EXPECT_EQ(HintsOf(one, cache.scan()).value().shard, "a");
}

}  // namespace
}  // namespace pgweir::router
