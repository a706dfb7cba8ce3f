#include "proxy/console/command.h"

#include <gmock/gmock.h>

namespace pgweir::proxy {
namespace {

using Kind = Command::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

Command Good(std::string_view text) {
  const auto command = Understand(text);
  EXPECT_TRUE(command.ok()) << text << ": " << MessageOf(command.status());
  return command.ok() ? *command : Command{};
}

std::string Fault(std::string_view text) {
  const auto command = Understand(text);
  EXPECT_FALSE(command.ok()) << text;
  EXPECT_EQ(SqlStateOf(command.status()), "08P01") << text;
  return MessageOf(command.status());
}

TEST(ConsoleStatements, AreSplitAtSemicolonsOutsideQuotesAndComments) {
  EXPECT_THAT(SplitStatements("show pools; show stats ;"), ElementsAre("show pools", "show stats"));
  EXPECT_THAT(SplitStatements("set a = ';'; pause \"x;y\""),
              ElementsAre("set a = ';'", "pause \"x;y\""));
  EXPECT_THAT(SplitStatements("/* a; b */ show pools -- ; c\n; show stats"),
              ElementsAre("show pools -- ; c", "show stats"));
  EXPECT_THAT(SplitStatements(" ; ;\n"), IsEmpty());
  EXPECT_THAT(SplitStatements("pause 'open; x"), ElementsAre("pause 'open; x"));
}

TEST(ConsoleCommand, KnowsTablesWithoutCaseAndBySelect) {
  for (const char* text : {"SHOW POOLS", "show pools", "Select Pools", "show /* x */ \"pools\""}) {
    EXPECT_EQ(Good(text).kind, Kind::kShow) << text;
    EXPECT_EQ(Good(text).name, "pools") << text;
  }
}

TEST(ConsoleCommand, TakesADatabaseWhereOneBelongs) {
  EXPECT_EQ(Good("PAUSE").name, "");
  EXPECT_EQ(Good("pause Market").name, "Market");
  EXPECT_EQ(Good("pause \"a \"\"b\"").name, "a \"b");
  EXPECT_EQ(Good("kill_client 12").name, "12");
  EXPECT_EQ(Fault("disable"), "a database is required");
  EXPECT_EQ(Fault("kill_client"), "invalid client pointer supplied");
  EXPECT_EQ(Fault("reload now"), "invalid command 'reload now', use SHOW HELP;");
  EXPECT_EQ(Fault("pause a b"), "invalid command 'pause a b', use SHOW HELP;");
}

TEST(ConsoleCommand, ReadsSetInAllItsForms) {
  for (const char* text : {"SET query_timeout = 5", "set query_timeout='5'",
                           "set Query_Timeout to 5", "set session query_timeout = \"5\""}) {
    EXPECT_EQ(Good(text).kind, Kind::kSet) << text;
    EXPECT_EQ(Good(text).name, "query_timeout") << text;
    EXPECT_EQ(Good(text).value, "5") << text;
  }
  EXPECT_EQ(Fault("set x"), "invalid command 'set x', use SHOW HELP;");
  EXPECT_EQ(Fault("set x = 1 2"), "invalid command 'set x = 1 2', use SHOW HELP;");
}

TEST(ConsoleCommand, ReadsChangesOfShards) {
  for (const char* text :
       {"SET SHARD 'SOL*' TO db_2", "set shard \"SOL*\" = 'db_2'", "Set Shard SOL* to \"db_2\""}) {
    const Command command = Good(text);
    EXPECT_EQ(command.kind, Kind::kSetShard) << text;
    EXPECT_EQ(command.name, "SOL*") << text;
    EXPECT_EQ(command.value, "db_2") << text;
    EXPECT_EQ(command.database, "") << text;
  }
  EXPECT_EQ(Good("set shard database \"my db\" 'a''b' to c").database, "my db");
  EXPECT_EQ(Good("set shard database \"my db\" 'a''b' to c").name, "a'b");
  EXPECT_EQ(Good("drop shard 'SOL*'").kind, Kind::kDropShard);
  EXPECT_EQ(Good("drop shard database market 'SOL*'").name, "SOL*");
  EXPECT_EQ(Good("drop shard database market 'SOL*'").database, "market");
  // Patterns that are words of the language.
  EXPECT_EQ(Good("drop shard 'database'").name, "database");
  for (const char* text : {"set shard 'a'", "set shard 'a' to", "set shard 'a' b c", "drop shard",
                           "drop shard 'a' 'b'", "drop table t", "set shard database d to x"}) {
    EXPECT_THAT(Fault(text), testing::StartsWith("invalid command")) << text;
  }
  EXPECT_EQ(Good("set shard = 5").kind, Kind::kSet);
}

TEST(ConsoleCommand, ReadsWhatIsToBeExplained) {
  const Command command = Good("explain route 'select ''a;b'' -- c'");
  EXPECT_EQ(command.kind, Kind::kExplainRoute);
  EXPECT_EQ(command.value, "select 'a;b' -- c");
  EXPECT_EQ(Good("EXPLAIN ROUTE DATABASE market 'x'").database, "market");
  EXPECT_EQ(OwnColumns(command)[0].name, "QUERY PLAN");
  for (const char* text : {"explain select 1", "explain route select 1", "explain route",
                           "explain route database market"}) {
    EXPECT_THAT(Fault(text), testing::StartsWith("invalid command")) << text;
  }
}

TEST(ConsoleCommand, IgnoresWhatDriversSetAtTheirLogin) {
  for (const char* text :
       {"SET client_encoding TO 'UTF8'", "set datestyle='ISO, MDY'", "SET TIME ZONE 'UTC'",
        "SET extra_float_digits = 3", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"}) {
    EXPECT_EQ(Good(text).kind, Kind::kIgnored) << text;
    EXPECT_EQ(Good(text).name, "SET") << text;
  }
  EXPECT_EQ(Good("DISCARD ALL").name, "DISCARD ALL");
}

TEST(ConsoleCommand, AnswersWhatDriversAsk) {
  EXPECT_EQ(Good("show STANDARD_CONFORMING_STRINGS").value, "on");
  EXPECT_EQ(Good("show transaction isolation level").value, "read committed");
  EXPECT_EQ(OwnColumns(Good("show datestyle"))[0].name, "DateStyle");
  EXPECT_EQ(Good("select 1").kind, Kind::kSelectOne);
}

TEST(ConsoleCommand, RefusesTheRestAndOpenQuotes) {
  EXPECT_EQ(Fault("frob"), "invalid command 'frob', use SHOW HELP;");
  EXPECT_EQ(Fault("show pools now"), "invalid command 'show pools now', use SHOW HELP;");
  EXPECT_EQ(Fault("pause \"x"), "bad arguments");
  EXPECT_EQ(Fault("show"), "invalid command 'show', use SHOW HELP;");
}

}  // namespace
}  // namespace pgweir::proxy
