#include "proxy/command_line.h"

#include <gmock/gmock.h>

namespace pgweir::proxy {
namespace {

using Command = CommandLine::Command;
using testing::HasSubstr;

CommandLine Good(const std::vector<std::string_view>& arguments) {
  const auto line = ParseCommandLine(arguments);
  EXPECT_TRUE(line.ok()) << MessageOf(line.status());
  return line.ok() ? *line : CommandLine();
}

std::string Fault(const std::vector<std::string_view>& arguments) {
  const auto line = ParseCommandLine(arguments);
  return line.ok() ? "no error" : MessageOf(line.status());
}

TEST(CommandLine, HasCommands) {
  EXPECT_EQ(Good({"run", "--config", "a.toml"}).command, Command::kRun);
  EXPECT_EQ(Good({"run", "--config", "a.toml"}).config, "a.toml");
  EXPECT_EQ(Good({"check", "--config=b"}).command, Command::kCheck);
  EXPECT_EQ(Good({"check", "--config=b"}).config, "b");
  EXPECT_EQ(Good({"--version"}).command, Command::kVersion);
  EXPECT_EQ(Good({"-V"}).command, Command::kVersion);
  EXPECT_EQ(Good({"run", "--help"}).command, Command::kHelp);
  EXPECT_EQ(Good({"-h"}).command, Command::kHelp);
}

TEST(CommandLine, TakesSqlToBeRouted) {
  const CommandLine line =
      Good({"route", "--config", "a.toml", "--database=market", "--user", "app", "select 1"});
  EXPECT_EQ(line.command, Command::kRoute);
  EXPECT_EQ(line.config, "a.toml");
  EXPECT_EQ(line.database, "market");
  EXPECT_EQ(line.user, "app");
  EXPECT_EQ(line.sql, "select 1");
  EXPECT_EQ(Good({"route", "--config=a", "--database", "m", "--", "-- x\nselect 1"}).sql,
            "-- x\nselect 1");
  EXPECT_EQ(Good({"route", "--help"}).command, Command::kHelp);
  EXPECT_THAT(Fault({"route", "--config=a", "select 1"}), HasSubstr("--database NAME is missing"));
  EXPECT_THAT(Fault({"route", "--database=a", "select 1"}), HasSubstr("--config FILE is missing"));
  EXPECT_THAT(Fault({"route", "--config=a", "--database=m"}), HasSubstr("SQL is missing"));
  EXPECT_THAT(Fault({"route", "--config=a", "--database=m", "select", "1"}), HasSubstr("quotes"));
  EXPECT_THAT(Fault({"run", "--config=a", "--database=m"}), HasSubstr("unexpected argument"));
}

TEST(CommandLine, LeavesTheArgumentsOfReportToIt) {
  const CommandLine line = Good({"report", "--html", "a.html", "-", "--help"});
  EXPECT_EQ(line.command, Command::kReport);
  EXPECT_THAT(line.report_arguments, testing::ElementsAre("--html", "a.html", "-", "--help"));
}

TEST(CommandLine, ReadsPgBouncersOptions) {
  const CommandLine line = Good({"-dqvv", "-u", "postgres", "/etc/pgbouncer/pgbouncer.ini"});
  EXPECT_EQ(line.command, Command::kRun);
  EXPECT_TRUE(line.daemon);
  EXPECT_TRUE(line.quiet);
  EXPECT_EQ(line.verbose, 2);
  EXPECT_EQ(line.user, "postgres");
  EXPECT_EQ(line.config, "/etc/pgbouncer/pgbouncer.ini");
  EXPECT_EQ(Good({"-uweir", "a.ini"}).user, "weir");
  EXPECT_EQ(Good({"--user=weir", "a.ini"}).user, "weir");
  EXPECT_EQ(Good({"--user", "weir", "a.ini"}).user, "weir");
  EXPECT_TRUE(Good({"a.ini", "--daemon"}).daemon);
  EXPECT_EQ(Good({"-q", "word"}).config, "word");
  EXPECT_EQ(Good({"--quiet", "--verbose", "x"}).verbose, 1);
}

TEST(CommandLine, SaysWhatIsWrong) {
  EXPECT_THAT(Fault({"serve"}), HasSubstr("unknown command \"serve\""));
  EXPECT_THAT(Fault({"run"}), HasSubstr("--config FILE is missing"));
  EXPECT_THAT(Fault({"-q"}), HasSubstr("--config FILE is missing"));
  EXPECT_THAT(Fault({"run", "--config"}), HasSubstr("--config takes a value"));
  EXPECT_THAT(Fault({"-q", "-u"}), HasSubstr("-u takes a value"));
  EXPECT_THAT(Fault({"-x", "a.ini"}), HasSubstr("unknown option -x"));
  EXPECT_THAT(Fault({"--fast", "a.ini"}), HasSubstr("unexpected argument \"--fast\""));
  EXPECT_THAT(Fault({"a.ini", "b.ini"}), HasSubstr("unexpected argument \"b.ini\""));
  EXPECT_THAT(Fault({"-R", "a.ini"}), HasSubstr("so_reuseport"));
  EXPECT_THAT(Fault({"--reboot", "a.ini"}), HasSubstr("so_reuseport"));
}

}  // namespace
}  // namespace pgweir::proxy
