// `pgweir route` and EXPLAIN ROUTE: where statements would go, told without running them.

#include <gmock/gmock.h>

#include "fmt/format.h"
#include "tests/support/child_process.h"
#include "tests/support/four_shards.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ExplainedRoute : public FourShards {
 protected:
  static CommandResult Route(const PgweirProcess& process, const std::string& sql,
                             const std::string& database = "market") {
    CommandResult result =
        RunCommand({.argv = {PgweirBinary(), "route", "--config", process.config_file(),
                             "--database", database, "--user", "postgres", "--", sql}});
    // What the address sanitizer says of the stacks that it meets.
    if (result.output.starts_with("==")) result.output.erase(0, result.output.find('\n') + 1);
    return result;
  }
  // What the command says, which has to be what the console says.
  static std::string Explained(const std::string& sql) {
    const CommandResult by_command = Route(pgweir(), sql);
    EXPECT_EQ(by_command.status, 0) << by_command.output;
    const Connection client(Conninfo()), console(pgweir().Conninfo("postgres", "pgweir"));
    std::string quoted;
    for (const char c : sql) quoted += c == '\'' ? "''" : std::string(1, c);
    const Result rows = console.Exec(fmt::format("explain route '{}'", quoted));
    EXPECT_EQ(rows.tag(), "EXPLAIN") << rows.message();
    std::string by_console;
    for (int row = 0; row < rows.rows(); ++row) by_console += rows.Value(row) + "\n";
    EXPECT_EQ(by_console, by_command.output);
    return by_command.output;
  }
};

TEST_F(ExplainedRoute, NamesNodeKindReasonAndWhatIsSent) {
  EXPECT_EQ(Explained("select * from trades where symbol = 'ETHW' -- x\n"),
            "statement: select * from trades where symbol = 'ETHW'\n"
            "node: xrp\nkind: single\nwhy: its conditions allow only symbols that lie there\n"
            "role: primary (there are no replicas)\n"
            "sent to xrp: select * from trades where symbol = 'ETHW'\n");
  EXPECT_THAT(Explained("select symbol from trades where symbol in ('BTC', 'ETH')"),
              HasSubstr("node: btc\nnode: eth\nkind: concat\n"));
  EXPECT_THAT(
      Explained("select 1; select symbol from trades where symbol in ('BTC', 'ETH') -- x"),
      HasSubstr("\nsent to eth: select symbol from trades where symbol in ('ETH', 'ETH')\n"));
  EXPECT_THAT(Explained("select * from orders"), HasSubstr("node: rest\nkind: default\n"));
  EXPECT_THAT(Explained("select name from instruments"), HasSubstr("sent to one of them: select"));
  EXPECT_THAT(Explained("create table trades (a int)"), HasSubstr("sent to xrp: create table"));
}

TEST_F(ExplainedRoute, SaysWhatIsRefused) {
  const std::string text = Explained("select count(*) from trades");
  EXPECT_THAT(text, HasSubstr("kind: rejected\nwhy: 0A000: "));
  EXPECT_THAT(text, HasSubstr("\nhint: "));
  EXPECT_THAT(text, Not(HasSubstr("sent to")));
  EXPECT_THAT(Explained("select 1 /* pgweir: shrad=btc */"), HasSubstr("why: 22023: "));
  EXPECT_THAT(Route(pgweir(), "select '" + std::string(100'000, 'x') + "'").output,
              HasSubstr("is too long to be routed by symbol"));
}

TEST_F(ExplainedRoute, HeedsComments) {
  EXPECT_THAT(Explained("select * from orders /* pgweir: shard=btc */"),
              HasSubstr("node: btc\nkind: steered\n"));
  EXPECT_THAT(Explained("insert into trades values (1, 'ETH', 1) /* pgweir: symbol=BTC */"),
              HasSubstr("why: 0A000: the rows lie on the node eth"));
}

TEST_F(ExplainedRoute, NamesTheNodesThatParametersDecideBetween) {
  EXPECT_THAT(Explained("select * from trades where symbol = $1"),
              HasSubstr("node: btc\nnode: eth\nnode: rest\nnode: xrp\nkind: by parameters\n"));
  EXPECT_THAT(Explained("select * from trades where symbol = $1 and symbol < 'F' and symbol > 'C'"),
              HasSubstr("where symbol = $1 and symbol < 'F' and symbol > 'C'\nnode: eth\nnode: "
                        "rest\nnode: xrp\nkind: by parameters\n"));
  EXPECT_THAT(Explained("select * from trades where symbol = 'BTC' and price > $1"),
              HasSubstr("node: btc\nkind: single\n"));
}

TEST_F(ExplainedRoute, TakesEachStatementByItself) {
  const std::string text =
      Explained("insert into trades values (1, 'BTC', 1); insert into trades values (1, 'ETH', 1)");
  EXPECT_THAT(text, HasSubstr("statement: insert into trades values (1, 'BTC', 1)\nnode: btc\n"));
  EXPECT_THAT(text,
              HasSubstr("\n\nstatement: insert into trades values (1, 'ETH', 1)\nnode: eth\n"));
  EXPECT_THAT(text, HasSubstr("\nall of them in one request:\nkind: rejected\nwhy: 0A000: "));
  EXPECT_THAT(Explained("select 1; select 2"), Not(HasSubstr("all of them")));
  EXPECT_EQ(Explained("-- nothing"), "there is no statement\n");
  EXPECT_EQ(At("btc", "select count(*) from trades"), "0");
}

TEST_F(ExplainedRoute, IsUnknownWithoutTheCatalogWhereItDependsOnIt) {
  PgweirOptions options = Options();
  options.files = {{"shards.toml", Map()}};
  const PgweirProcess process(options);
  std::string config = ReadFile(process.config_file());
  const std::string port = fmt::format("port={}", server().port());
  for (size_t at; (at = config.find(port)) != config.npos;)
    config.replace(at, port.size(), "port=1");
  WriteFile(process.config_file(), config);
  const CommandResult orders = Route(process, "select * from orders");
  EXPECT_EQ(orders.status, 0);
  EXPECT_THAT(orders.output, StartsWith("pgweir: the catalog of node rest is not known: "));
  EXPECT_THAT(orders.output,
              EndsWith("\nstatement: select * from orders\nnode: unknown\nkind: unknown\n"
                       "why: it depends on the catalog, which is not known\n"));
  EXPECT_THAT(Route(process, "select * from trades where trades.symbol = 'BTC'").output,
              HasSubstr("node: btc\nkind: single\n"));
  EXPECT_THAT(Route(process, "select * from trades where trades.symbol = $1").output,
              HasSubstr("kind: by parameters\n"));
  EXPECT_THAT(Route(process, "select * from trades").output, HasSubstr("node: unknown\n"));
  // The console's own catalog is that of its clients.
  const Connection console(process.Conninfo("postgres", "pgweir"));
  EXPECT_THAT(console.Exec("explain route 'select * from orders'").Value(1), "node: unknown");
}

TEST_F(ExplainedRoute, KnowsRolesOfADatabaseThatIsNotSharded) {
  PgweirOptions options;
  options.databases = fmt::format(
      "[databases.whole]\nprimary = \"host=127.0.0.1 port={0} dbname=whole\"\n"
      "replicas = [{{ conninfo = \"host=127.0.0.1 port={0}\", labels = [\"reports\"] }}]\n"
      "labels = {{ users = {{ postgres = \"reports\" }} }}\n"
      "[databases.other]\nprimary = \"host=127.0.0.1 port={0} dbname=whole\"\n",
      server().port());
  const PgweirProcess process(options);
  const auto role = [&](const std::string& sql) {
    const std::string text = Route(process, sql, "whole").output;
    const size_t at = text.find("role: ");
    return at == text.npos ? text : text.substr(at + 6, text.find('\n', at) - at - 6);
  };
  EXPECT_EQ(role("select * from trades"), "any replica for \"reports\" (it only reads)");
  EXPECT_EQ(role("select random()"), "primary (it calls a volatile function)");
  EXPECT_EQ(role("insert into orders default values"), "primary (it does more than to read)");
  EXPECT_EQ(role("select 1 /* pgweir: role=primary */"), "primary (its comment says so)");
  EXPECT_EQ(role("begin read only"), "any replica for \"reports\" (its transaction only reads)");
  EXPECT_EQ(Route(process, "select 1", "whole").output,
            "statement: select 1\nnode: whole\nrole: any replica for \"reports\" (it only reads)\n"
            "sent to whole: select 1\n");
  EXPECT_THAT(Route(process, "select 1", "other").output,
              HasSubstr("role: primary (there are no replicas)\n"));
  const Connection console(process.Conninfo("postgres", "pgweir"));
  EXPECT_THAT(console.Exec("explain route 'select 1'").message(), HasSubstr("no database is"));
  EXPECT_EQ(console.Exec("explain route database whole 'select 1'").Value(1), "node: whole");
}

TEST_F(ExplainedRoute, ExitsByWhatIsWrong) {
  const std::string config = pgweir().config_file();
  const auto status = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {PgweirBinary(), "route"});
    return RunCommand({.argv = arguments}).status;
  };
  EXPECT_EQ(status({"--config", config, "--database", "market"}), 2);
  EXPECT_EQ(status({"--config", config, "--database", "none", "select 1"}), 2);
  EXPECT_EQ(status({"--config", config, "--database", "market", "--fast", "select 1"}), 2);
  EXPECT_EQ(status({"--config", "/nonexistent.toml", "--database", "market", "select 1"}), 1);
  EXPECT_EQ(status({"--help"}), 0);
}

TEST_F(ExplainedRoute, AsksWhichOfSeveralDatabases) {
  PgweirOptions options = Options();
  options.files = {{"shards.toml", Map()}};
  std::string copy = options.databases;
  constexpr std::string_view kName = "databases.market";
  for (size_t at; (at = copy.find(kName)) != copy.npos;) {
    copy.replace(at, kName.size(), "databases.copy");
  }
  options.databases += copy;
  const PgweirProcess process(options);
  const Connection console(process.Conninfo("postgres", "pgweir"));
  const Result asked = console.Exec("explain route 'select 1'");
  EXPECT_EQ(asked.sqlstate(), "08P01");
  EXPECT_THAT(asked.message(), HasSubstr("several databases are sharded"));
  EXPECT_THAT(asked.message(), HasSubstr("copy, market"));
  EXPECT_TRUE(console.Exec("explain route database copy 'select 1'").ok());
  EXPECT_EQ(console.Exec("show shards").rows(), 10);
}

}  // namespace
}  // namespace pgweir::test
