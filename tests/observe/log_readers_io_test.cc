// What the tools that people have read from the slow-query log: pgBadger, which knows nothing of
// pgweir and takes JSON apart by regular expressions, and jq.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fmt/format.h"
#include "observe/slow_log_line.h"
#include "tests/observe/record_fixture.h"

namespace pgweir::observe {
namespace {

using testing::ElementsAre;

class LogReaders : public testing::Test {
 protected:
  LogReaders() {
    std::string pattern = testing::TempDir() + "readers.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~LogReaders() override { std::filesystem::remove_all(folder_); }

  // Each takes a second more than the one before, so that reports by duration have them in order.
  void Log(std::string_view text, std::span<const StatementParameter> parameters = {}) {
    record_.text = text;
    record_.parameters = parameters;
    record_.extended = !parameters.empty();
    record_.times.total_us += 1'000'000;
    record_.finished += std::chrono::seconds(1);
    ++record_.number;
    std::ofstream(folder_ + "/slow.json", std::ios::app) << writer_.Write(record_, options_);
  }
  void LogError(std::string_view text, std::string_view sqlstate, std::string_view error) {
    record_.sqlstate = sqlstate;
    record_.error = error;
    Log(text);
    record_.sqlstate = record_.error = "";
  }

  // What the command puts out, each line an element.
  std::vector<std::string> Run(const std::string& command) const {
    const std::string output = folder_ + "/output";
    EXPECT_EQ(
        std::system(fmt::format("cd {} && {{ {}; }} > output 2>&1", folder_, command).c_str()), 0)
        << command << "\n"
        << std::ifstream(output).rdbuf();
    std::vector<std::string> lines;
    std::ifstream in(output);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  // What pgBadger reports, by a filter of jq's.
  std::vector<std::string> Report(const std::string& filter) const {
    Run("pgbadger --pid-dir . -q -x json -o report.json slow.json");
    return Run("jq -c '" + filter + "' report.json");
  }

  std::string folder_;
  ExampleStatement example_;
  StatementRecord& record_ = example_.record;
  LineOptions options_;
  SlowLogLine writer_;
};

// Each has ended a line, a string or a report of one of them too early.
const std::string kBiting[] = {
    R"(SELECT '{"a":"x"}'::jsonb FROM t1)",
    R"(SELECT '{"a":"","b":""}', "c" FROM t2)",
    "SELECT 'INFO: x', 'LOG:  y' FROM t3",
    "SELECT 1\nFROM t4\n\tWHERE a = 2\r\n",
    "SELECT $tag$ '\"}\\ $tag$, $$ INFO: $$ FROM t5",
    R"(SELECT E'\\"}', '\', 'duration: 1 ms  statement: x' FROM t6)",
    "SELECT '\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98' FROM t7",
    R"(SELECT '","user":"eve","message":"x' FROM t8)",
    R"(SELECT 1 FROM t9 -- "a",)",
    "SELECT '" + std::string(1 << 20, 'x') + "' FROM t0",
};

TEST_F(LogReaders, JqReadsEveryStatementAsItWas) {
  options_.statement_max_length = size_t{2} << 20;
  for (const std::string& sql : kBiting) Log(sql);
  std::ofstream expected(folder_ + "/expected", std::ios::binary);
  for (const std::string& sql : kBiting) expected << sql << '\0';
  expected.close();
  Run(R"x(jq -j '(.message | sub("^duration.*?statement: "; "")) + "\u0000"' slow.json > got)x");
  Run("cmp expected got");
  EXPECT_THAT(Run("jq -c '[.dbname, .pid, .pgweir.total_us, .pgweir.shards]' slow.json").front(),
              R"(["shop",101,2234567,["db_shard_3"]])");
}

TEST_F(LogReaders, JqReadsBytesThatAreNoUtf8) {
  Log("SELECT '\xff\xfe\x01\x7f'");
  EXPECT_THAT(Run("jq -c '.message[-9:] | explode' slow.json"),
              ElementsAre("[67,84,32,39,65533,65533,1,127,39]"));
}

TEST_F(LogReaders, PgBadgerReadsEveryStatementOfItsUser) {
  for (const std::string& sql : kBiting) Log(sql);
  EXPECT_THAT(Report(".overall_stat.postgres.queries_number"), ElementsAre("10"));
  EXPECT_THAT(Report(R"x([.top_slowest.postgres[] | .[2] | capture("FROM (?<t>t[0-9])").t])x"),
              ElementsAre(R"(["t9","t8","t7","t6","t5","t4","t3","t2","t1"])"));
  EXPECT_THAT(Report(R"([.top_slowest.postgres[] | .[3:7]] | unique)"),
              ElementsAre(R"([["shop","alice","10.0.0.5","web"]])"));
  EXPECT_THAT(Report(".top_slowest.postgres[-1][0:2]"),
              ElementsAre(R"(["2234.567","2026-09-01 10:00:01"])"));
}

TEST_F(LogReaders, PgBadgerPutsParametersIntoTheStatement) {
  const StatementParameter parameters[] = {{false, false, 25, "it's \"}"},
                                           {true, false, 25, ""},
                                           {false, true, 23, std::string_view("\0\0\0\x2a", 4)}};
  Log("SELECT $1, $2, $3", parameters);
  EXPECT_THAT(Report(".top_slowest.postgres[0][2]"),
              ElementsAre(R"("SELECT 'it''s \"\\u007d', NULL, '42';")"));
}

TEST_F(LogReaders, PgBadgerPassesOverPlansAndJqReadsThem) {
  Log("SELECT 1");
  PlanRecord plan;
  plan.database = plan.user = "postgres";
  plan.pid = record_.client->pid;
  plan.asked = record_.finished;
  plan.json =
      "[\n  {\"Plan\": {\"Node Type\": \"Result\", \"Filter\": \"(x = '\\\"},'::text)\"}}\n]";
  std::ofstream(folder_ + "/slow.json", std::ios::app) << writer_.WritePlan(plan);
  Log("SELECT 2");
  EXPECT_THAT(Report(".top_slowest.postgres[] | .[2]"),
              ElementsAre("\"SELECT 2;\"", "\"SELECT 1;\""));
  EXPECT_THAT(Run("jq -c '.pgweir.plan[0].Plan.Filter | select(.)' slow.json"),
              ElementsAre(R"x("(x = '\"},'::text)")x"));
}

TEST_F(LogReaders, PgBadgerReportsErrorsWithTheirStatements) {
  LogError("SELECT pg_sleep(100)", "57014", "canceling statement due to statement timeout");
  EXPECT_THAT(Report(".error_info.postgres[] | [.error, .statement, .sqlstate]"),
              ElementsAre(R"x([["ERROR:  canceling statement due to statement timeout"],)x"
                          R"x(["SELECT pg_sleep(100)"],["57014"]])x"));
}

}  // namespace
}  // namespace pgweir::observe
