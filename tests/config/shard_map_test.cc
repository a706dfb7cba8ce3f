#include "config/shard_map.h"

#include <gmock/gmock.h>

#include <array>

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::array<std::string, 3> kNodes = {"one", "rest", "two"};

ShardMap GoodMap(std::string_view text) {
  auto map = ParseShardMap(text, "s.toml", kNodes);
  EXPECT_TRUE(map.ok()) << MessageOf(map.status());
  return map.ok() ? *map : ShardMap();
}

// The error that `text` gives behind a sound [shards].
std::string MapFault(std::string_view text) {
  const auto map = ParseShardMap(text, "s.toml", kNodes);
  if (map.ok()) return "no error";
  EXPECT_EQ(SqlStateOf(map.status()), sqlstate::kConfigFileError);
  return MessageOf(map.status());
}

std::string FaultBehindShards(std::string_view text) {
  return MapFault("[shards]\n\"*\" = \"rest\"\n" + std::string(text));
}

TEST(ShardMap, HasPatternsTablesAndReplicatedTables) {
  const ShardMap map = GoodMap(R"([shards]
"BTC*" = "one"
BTCUSDT = "two"
"*" = "rest"
[tables]
trades = "symbol"
"app.candles" = "sym"
[replicated]
tables = ["instruments", "app.venues"])");
  EXPECT_THAT(map.patterns,
              ElementsAre(SymbolPattern{"BTC", true, "one"}, SymbolPattern{"BTCUSDT", false, "two"},
                          SymbolPattern{"", true, "rest"}));
  EXPECT_EQ(map.default_node, "rest");
  EXPECT_THAT(map.sharded, testing::UnorderedElementsAre(ListedTable{"", "trades", "symbol"},
                                                         ListedTable{"app", "candles", "sym"}));
  EXPECT_THAT(map.replicated,
              ElementsAre(ListedTable{"", "instruments", ""}, ListedTable{"app", "venues", ""}));
}

TEST(ShardMap, LeavesNoSymbolWithoutANode) {
  EXPECT_EQ(MapFault("[tables]\nt = \"s\"\n[shards]\n\"BTC*\" = \"one\""),
            "s.toml:3:2: shards: must have the pattern \"*\", the node of all other symbols and "
            "of what is not listed");
  EXPECT_THAT(MapFault(""), HasSubstr("s.toml:1:1: shards: must have the pattern"));
}

TEST(ShardMap, KnowsItsNodes) {
  EXPECT_EQ(
      FaultBehindShards("\"B*\" = \"three\""),
      "s.toml:3:8: shards.\"B*\": must be the name of a node of the database: one, rest, two");
  EXPECT_THAT(FaultBehindShards("\"B*\" = 1"), HasSubstr("s.toml:3:8: shards.\"B*\": must be"));
}

TEST(ShardMap, RefusesARepeatedPattern) {
  EXPECT_THAT(FaultBehindShards("\"B*\" = \"one\"\n'B*' = \"two\""), HasSubstr("s.toml:4:8: "));
}

TEST(ShardMap, RefusesPatternsWithAStarElsewhere) {
  for (const char* pattern : {"\"B*C\"", "\"*C\"", "\"**\"", "\"\"", "\"a\\u0000\""}) {
    EXPECT_THAT(FaultBehindShards(std::string(pattern) + " = \"one\""),
                HasSubstr("s.toml:3:1: shards."))
        << pattern;
  }
}

TEST(ShardMap, ATableIsListedOnce) {
  EXPECT_EQ(FaultBehindShards("[tables]\nt = \"s\"\n[replicated]\ntables = [\"u\", \"t\"]"),
            "s.toml:6:16: replicated.t: can't be both sharded and replicated");
  EXPECT_THAT(FaultBehindShards("[tables]\nt = \"s\"\n\"app.t\" = \"s\""),
              HasSubstr("is listed twice"));
  EXPECT_THAT(FaultBehindShards("[replicated]\ntables = [\"a.t\", \"a.t\"]"),
              HasSubstr("s.toml:4:18: replicated.\"a.t\": is listed twice"));
  EXPECT_EQ(FaultBehindShards("[tables]\n\"a.t\" = \"s\"\n\"b.t\" = \"s\""), "no error");
}

TEST(ShardMap, SaysWhatElseIsWrong) {
  EXPECT_THAT(FaultBehindShards("[tables]\nt = 1"), HasSubstr("s.toml:4:5: tables.t: must be"));
  EXPECT_THAT(FaultBehindShards("[tables]\n\"a.b.c\" = \"s\""), HasSubstr("s.toml:4:1: tables."));
  EXPECT_THAT(FaultBehindShards("[replicated]\ntables = [1]"),
              HasSubstr("s.toml:4:11: replicated.\"\": must be the name of a table"));
  EXPECT_THAT(FaultBehindShards("[table]\nt = \"s\""), HasSubstr("s.toml:3:2: unknown key table"));
  EXPECT_THAT(MapFault("shards = 1"), HasSubstr("s.toml:1:10: shards: must be a table"));
  EXPECT_THAT(MapFault("[shards"), HasSubstr("s.toml:1:"));
}

class ShardedDatabase : public ConfigTest {
 protected:
  static constexpr const char* kNodes = R"([databases.m]
shard_map = "s.toml"
[databases.m.nodes.one]
primary = "host=1"
replicas = ["host=r", { conninfo = "host=q", labels = ["reports", "admin"] }]
[databases.m.nodes.rest]
primary = "host=2"
)";
};

TEST_F(ShardedDatabase, HasTheNodeOfTheStarAsItsNode) {
  Write("s.toml", "[shards]\n\"*\" = \"rest\"\n\"B*\" = \"one\"");
  const auto config = ParseText(kNodes);
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  const Database& database = *config->FindDatabase("m");
  EXPECT_EQ(database.node.name, "rest");
  EXPECT_EQ(database.node.primary, "host=2");
  ASSERT_EQ(database.nodes.size(), 2u);
  ASSERT_NE(database.shard_map, nullptr);
  EXPECT_EQ(database.shard_map->path, File("s.toml"));
  const Node& one = database.nodes[0].name == "one" ? database.nodes[0] : database.nodes[1];
  ASSERT_EQ(one.replicas.size(), 2u);
  EXPECT_TRUE(one.replicas[0].labels.empty());
  EXPECT_THAT(one.replicas[1].labels, ElementsAre("reports", "admin"));
}

TEST_F(ShardedDatabase, IsRefusedWithItsMapsFaults) {
  Write("s.toml", "[shards]\n\"*\" = \"rest\"\n\"B*\" = \"three\"");
  EXPECT_EQ(FaultOfAll(kNodes),
            "s.toml:3:8: shards.\"B*\": must be the name of a node of the database: one, rest");
  std::filesystem::remove(File("s.toml"));
  EXPECT_THAT(FaultOfAll(kNodes), HasSubstr("s.toml:1:1: "));
}

TEST_F(ShardedDatabase, ReadsWhoseReadsGoToALabel) {
  Write("s.toml", "[shards]\n\"*\" = \"rest\"");
  const auto config = ParseText(std::string(kNodes) +
                                "[databases.m.labels]\nusers = { analyst = \"reports\" }\n"
                                "application_names = { \"meta base\" = \"admin\" }");
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  const ReplicaLabels& labels = config->FindDatabase("m")->labels;
  EXPECT_THAT(labels.users, ElementsAre(testing::Pair("analyst", "reports")));
  EXPECT_THAT(labels.application_names, ElementsAre(testing::Pair("meta base", "admin")));
  const auto fault = [&](const std::string& line) {
    return FaultOfAll(std::string(kNodes) + "[databases.m.labels]\n" + line);
  };
  EXPECT_EQ(fault("users = { a = \"report\" }"),
            "pgweir.toml:9:15: databases.m.labels.users: no replica of the database has the label "
            "report");
  EXPECT_EQ(fault("users = { a = 1 }"),
            "pgweir.toml:9:15: databases.m.labels.users: must be a table of names, each with a "
            "string that isn't empty");
  EXPECT_EQ(fault("users = [\"reports\"]"),
            "pgweir.toml:9:9: databases.m.labels.users: must be a table of names, each with a "
            "string that isn't empty");
  EXPECT_THAT(fault("user = {}"), HasSubstr("unknown key databases.m.labels.user; did you mean"));
}

TEST_F(ShardedDatabase, ReadsHowReplicasAreUsed) {
  const auto config = ParseText(R"([databases.a]
primary = "host=h"
consistency = "eventual"
max_lag = "1s"
replica_fallback = "error")");
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  const Database& database = *config->FindDatabase("a");
  EXPECT_EQ(database.consistency, Consistency::kEventual);
  EXPECT_EQ(database.max_lag, milliseconds{1000});
  EXPECT_EQ(database.replica_fallback, ReplicaFallback::kError);
  EXPECT_EQ(FaultOfAll("[databases.a]\nprimary = \"x\"\nconsistency = \"own\""),
            "pgweir.toml:3:15: databases.a.consistency: must be one of \"eventual\", \"session\", "
            "\"primary\"");
  EXPECT_EQ(FaultOfAll("[databases.a]\nprimary = \"x\"\nreplicas = [{ label = \"x\" }]"),
            "pgweir.toml:3:13: databases.a.replicas: must be a libpq connection string, or "
            "{ conninfo = \"…\", labels = [\"…\"] }\n"
            "pgweir.toml:3:15: unknown key databases.a.replicas.label; did you mean "
            "databases.a.replicas.labels?");
}

}  // namespace
}  // namespace pgweir::config
