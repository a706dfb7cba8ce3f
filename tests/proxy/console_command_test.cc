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
  EXPECT_EQ(SettingColumns(Good("show datestyle"))[0].name, "DateStyle");
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
