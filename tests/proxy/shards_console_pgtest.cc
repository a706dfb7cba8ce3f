// What the console says of a sharded database, and does with its map.

#include "fmt/format.h"
#include "tests/support/four_shards.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {
namespace {

class ShardsConsole : public FourShards {
 protected:
  static Connection Client(const PgweirProcess& process) {
    return Connection(process.Conninfo("postgres", "market"));
  }
  static Connection Console(const PgweirProcess& process) {
    return Connection(process.Conninfo("postgres", "pgweir"));
  }
  // A column of SHOW SHARDS for the pattern.
  static std::string Shown(const Connection& console, std::string_view pattern,
                           const char* column) {
    const Result shards = console.Exec("show shards");
    const int of_column = PQfnumber(shards.get(), column);
    EXPECT_GE(of_column, 0) << column << shards.message();
    for (int row = 0; row < shards.rows(); ++row) {
      if (shards.Value(row, 0) == pattern) return shards.Value(row, of_column);
    }
    return "none";
  }
};

TEST_F(ShardsConsole, ShowsPatternsInTheOrderOfTheMap) {
  const Connection console = Console(pgweir());
  const Result shards = console.Exec("show shards");
  ASSERT_EQ(shards.rows(), 5) << shards.message();
  std::string patterns;
  for (int row = 0; row < shards.rows(); ++row) {
    patterns += fmt::format("{}:{} ", shards.Value(row, 0), shards.Value(row, 1));
    EXPECT_EQ(shards.Value(row, 5), "market");
  }
  EXPECT_EQ(patterns, "BTC*:btc ETH*:eth XRP*:xrp ETHW:xrp *:rest ");
}

TEST_F(ShardsConsole, CountsByPattern) {
  const auto process = StartPgweir();
  const Connection client = Client(*process), console = Console(*process);
  EXPECT_EQ(Shown(console, "BTC*", "statements"), "0");
  EXPECT_EQ(Shown(console, "BTC*", "p95_ms"), "");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Exec(fmt::format("insert into trades values ({}, 'BTCUSDT', 1.5)", i)).ok());
  }
  ASSERT_TRUE(client.Exec("insert into trades values (1, 'ETHW', 1), (2, 'ETHW', 1)").ok());
  EXPECT_EQ(client.Exec("select * from trades where symbol = 'BTCUSDT'").rows(), 3);
  EXPECT_EQ(client.ExecParams("select * from trades where symbol = $1", {"ETHW"}).rows(), 2);
  EXPECT_EQ(Shown(console, "BTC*", "statements"), "4");
  EXPECT_EQ(Shown(console, "BTC*", "rows"), "6");
  EXPECT_EQ(Shown(console, "ETHW", "statements"), "2");
  EXPECT_EQ(Shown(console, "ETHW", "rows"), "4");
  EXPECT_EQ(Shown(console, "XRP*", "statements"), "0");
  EXPECT_EQ(Shown(console, "*", "statements"), "0");
  const double p95 = std::stod(Shown(console, "BTC*", "p95_ms"));
  EXPECT_GT(p95, 0);
  EXPECT_LT(p95, 10'000);
  // Of several nodes each counts, under its first pattern.
  EXPECT_EQ(client.Exec("select * from trades").rows(), 5);
  EXPECT_EQ(Shown(console, "BTC*", "statements"), "5");
  EXPECT_EQ(Shown(console, "XRP*", "rows"), "2");
  EXPECT_EQ(Shown(console, "*", "statements"), "1");
}

TEST_F(ShardsConsole, CountsWhatATransactionDoesWhereItDoesIt) {
  const auto process = StartPgweir();
  const Connection client = Client(*process), console = Console(*process);
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("insert into trades values (1, 'XRPUSDT', 1)").ok());
  ASSERT_TRUE(client.Exec("insert into trades values (1, 'ETHW', 1)").ok());
  ASSERT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(Shown(console, "XRP*", "rows"), "1");
  EXPECT_EQ(Shown(console, "ETHW", "rows"), "1");
  // COMMIT belongs to no symbol.
  EXPECT_EQ(Shown(console, "XRP*", "statements"), "2");
}

// The map's file of a pgweir of one's own.
class ShardMapFile : public ShardsConsole {
 protected:
  ShardMapFile() : process_(StartPgweir()), console_(Console(*process_)) {}

  std::string path() const { return process_->folder() + "/shards.toml"; }
  std::string Node(std::string_view symbol) const {
    return Client(*process_).Value(
        fmt::format("select current_database() /* pgweir: symbol={} */", symbol));
  }

  const std::unique_ptr<PgweirProcess> process_;
  const Connection console_;
};

TEST_F(ShardMapFile, IsChangedInPlaceAndLoaded) {
  EXPECT_EQ(Node("SOLUSDT"), "rest");
  const Result set = console_.Exec("set shard 'SOL*' to xrp");
  ASSERT_TRUE(set.ok()) << set.message();
  EXPECT_EQ(set.tag(), "SET SHARD");
  EXPECT_EQ(Node("SOLUSDT"), "xrp");
  std::string expected = Map();
  expected.insert(expected.find("\"*\""), "\"SOL*\" = \"xrp\"\n");
  EXPECT_EQ(ReadFile(path()), expected);
  EXPECT_TRUE(
      process_->WaitLog("shard map changed database=market 1 pattern: rest to xrp (\"SOL*\")"));
  ASSERT_TRUE(console_.Exec("set shard database market '*' to btc").ok());
  EXPECT_EQ(Node("ADA"), "btc");
  EXPECT_TRUE(process_->WaitLog("1 pattern: rest to btc (\"*\")"));
  ASSERT_TRUE(console_.Exec("set shard '*' to rest").ok());
  EXPECT_EQ(console_.Exec("drop shard 'SOL*'").tag(), "DROP SHARD");
  EXPECT_EQ(Node("SOLUSDT"), "rest");
  EXPECT_EQ(ReadFile(path()), Map());
}

TEST_F(ShardMapFile, StaysWhenTheMapWouldBeRefused) {
  const auto refused = [&](std::string_view command, std::string_view part) {
    const Result result = console_.Exec(command);
    EXPECT_EQ(result.sqlstate(), "F0000") << command;
    EXPECT_NE(result.message().find(part), std::string::npos) << result.message();
    EXPECT_EQ(ReadFile(path()), Map()) << command;
  };
  refused("set shard 'SOL*' to nowhere", "shards.toml:6:10: shards.\"SOL*\": must be the name of");
  refused("set shard 'SOL*' to ''", "must be the name of a node");
  refused("set shard 'S*L' to xrp", "with one star at its end");
  refused("drop shard '*'", "can't be dropped");
  refused("drop shard 'SOL*'", "has no pattern");
  EXPECT_EQ(console_.Exec("drop shard database none 'SOL*'").sqlstate(), "08P01");
  EXPECT_EQ(Node("SOLUSDT"), "rest");
}

TEST_F(ShardMapFile, IsNotWrittenOverWhatSomebodyElseHasWritten) {
  const std::string by_hand = "# mine\n" + Map();
  WriteFile(path(), by_hand);
  const Result refused = console_.Exec("set shard 'SOL*' to xrp");
  EXPECT_EQ(refused.sqlstate(), "F0000");
  EXPECT_NE(refused.message().find("RELOAD first"), std::string::npos) << refused.message();
  EXPECT_EQ(ReadFile(path()), by_hand);
  ASSERT_TRUE(console_.Exec("reload").ok());
  ASSERT_TRUE(console_.Exec("set shard 'SOL*' to xrp").ok());
  EXPECT_EQ(ReadFile(path()).substr(0, 7), "# mine\n");
  EXPECT_EQ(Node("SOLUSDT"), "xrp");
}

// What would fail the reload fails the change, before anything is written.
TEST_F(ShardMapFile, StaysWhenTheConfigurationIsNotSound) {
  const std::string sound = ReadFile(process_->config_file());
  WriteFile(process_->config_file(), sound + "nonsense\n");
  EXPECT_EQ(console_.Exec("set shard 'SOL*' to xrp").sqlstate(), "F0000");
  EXPECT_EQ(ReadFile(path()), Map());
  WriteFile(process_->config_file(), sound);
  EXPECT_TRUE(console_.Exec("set shard 'SOL*' to xrp").ok());
}

TEST_F(ShardMapFile, IsForAdminsOnly) {
  PgweirOptions options = Options("[admin]\nusers = []\nstats_users = [\"postgres\"]");
  options.files = {{"shards.toml", Map()}};
  const PgweirProcess process(options);
  const Connection console = Console(process);
  EXPECT_NE(console.Exec("set shard 'SOL*' to xrp").message().find("admin access needed"),
            std::string::npos);
  EXPECT_NE(console.Exec("drop shard 'BTC*'").message().find("admin access needed"),
            std::string::npos);
  EXPECT_TRUE(console.Exec("explain route 'select 1'").ok());
  EXPECT_EQ(console.Exec("show shards").rows(), 5);
}

TEST_F(ShardsConsole, ShowsTimesInBothFormats) {
  const Connection client = Client(pgweir()), console = Console(pgweir());
  ASSERT_TRUE(client.Exec("select * from trades where symbol = 'SOLUSDT'").ok());
  const Result binary(
      PQexecParams(console.get(), "show shards", 0, nullptr, nullptr, nullptr, nullptr, 1));
  ASSERT_EQ(binary.rows(), 5) << binary.message();
  EXPECT_EQ(PQgetlength(binary.get(), 4, 2), 8);
  EXPECT_GE(PQgetlength(binary.get(), 4, 4), 8);
}

}  // namespace
}  // namespace pgweir::test
