#include "observe/slow_log_line.h"

#include <gmock/gmock.h>

#include "tests/observe/record_fixture.h"

namespace pgweir::observe {
namespace {

using config::Redact;
using testing::HasSubstr;
using testing::Not;

class Line : public testing::Test {
 protected:
  std::string Write() { return std::string(writer_.Write(example_.record, options_)); }
  std::string WriteText(std::string_view text) {
    example_.record.text = text;
    return Write();
  }

  ExampleStatement example_;
  StatementRecord& record_ = example_.record;
  LineOptions options_;
  SlowLogLine writer_;
};

TEST_F(Line, HasJsonlogsKeysInItsOrderAndPgweirsBehindThem) {
  EXPECT_EQ(Write(),
            R"({"timestamp":"2026-09-01 10:00:00.123 UTC","user":"alice","dbname":"shop",)"
            R"("pid":101,"remote_host":"10.0.0.5","remote_port":54321,)"
            R"("session_id":"6a96a1e4.65","line_num":7,"ps":"SELECT",)"
            R"("session_start":"2026-09-01 09:59:00 UTC","error_severity":"LOG",)"
            R"("message":"duration: 1234.567 ms  rows: 5  size: 300 bytes  statement: SELECT 1",)"
            R"("application_name":"web","backend_type":"client backend",)"
            R"("pgweir":{"v":1,"digest":"00000000000000ab","shards":["db_shard_3"],)"
            R"("role":"replica","cached":false,"cache":"miss","route_us":0,"wait_us":900100,)"
            R"("connect_us":0,"sync_us":0,"ahead_us":0,"backend_us":330200,"transfer_us":4200,)"
            R"("blocked_us":0,"total_us":1234567,"rows":5,"bytes":300,"retries":1,)"
            R"("server_pid":4711,)"
            R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})"
            "\n");
}

TEST_F(Line, NamesWhatAnExecuteRan) {
  record_.extended = true;
  EXPECT_THAT(Write(), HasSubstr("bytes  execute <unnamed>: SELECT 1\""));
  record_.prepared_name = "S:1";
  record_.portal_name = "C_2";
  EXPECT_THAT(Write(), HasSubstr("bytes  execute S_1/C_2: SELECT 1\""));
}

TEST_F(Line, ReportsAnErrorWithItsStatement) {
  record_.sqlstate = "57014";
  record_.error = "canceling statement due to statement timeout";
  EXPECT_THAT(Write(), HasSubstr(R"("error_severity":"ERROR","state_code":"57014",)"
                                 R"("message":"canceling statement due to statement timeout",)"
                                 R"("statement":"SELECT 1",)"));
}

TEST_F(Line, WritesParametersAsTheServerWould) {
  const StatementParameter parameters[] = {{false, false, 25, "it's"},
                                           {true, false, 25, ""},
                                           {false, true, 23, std::string_view("\0\0\0\x2a", 4)}};
  record_.parameters = parameters;
  EXPECT_THAT(Write(), HasSubstr(R"(,"detail":"parameters: $1 = 'it''s', $2 = NULL, $3 = '42'",)"));
}

TEST_F(Line, CutsParametersBetweenCharacters) {
  const StatementParameter parameters[] = {{false, false, 25, "abc\xc3\xa4"},
                                           {false, false, 25, "abcd"}};
  record_.parameters = parameters;
  options_.parameter_max_length = 4;
  EXPECT_THAT(Write(), HasSubstr("$1 = 'abc...', $2 = 'abcd'\""));
  options_.parameter_max_length = 0;
  EXPECT_THAT(Write(), HasSubstr("$1 = '...', $2 = '...'\""));
}

TEST_F(Line, CutsLongStatements) {
  options_.statement_max_length = 6;
  EXPECT_THAT(WriteText("SELECT 123"), HasSubstr("statement: SELECT...\","));
}

TEST_F(Line, HasNothingThatEndsAStringTooEarly) {
  EXPECT_THAT(WriteText(R"(SELECT '{"a":"x"}'::jsonb)"),
              HasSubstr(R"(SELECT '{\"a\":\"x\"\u007d'::jsonb)"));
  EXPECT_THAT(WriteText("SELECT '{}'"), HasSubstr("SELECT '{}'"));
  EXPECT_THAT(WriteText("SELECT \"a\", \"b\","),
              HasSubstr(R"(SELECT \"a\", \"b\"\u002c","application_name")"));
}

TEST_F(Line, LooksLikeNoOtherProgramsLine) {
  EXPECT_THAT(WriteText("SELECT 'INFO: x'"), HasSubstr(R"(SELECT 'INFO\u003a x')"));
  record_.extended = true;
  record_.prepared_name = "INFO";
  EXPECT_THAT(Write(), Not(HasSubstr("INFO: ")));
}

TEST_F(Line, IsOneLineOfUtf8WhateverTheStatementIs) {
  const std::string line = WriteText("SELECT\n\t'\xff\xc3\xa4\x80'\r\b\x7f\\");
  EXPECT_THAT(line, HasSubstr("SELECT\\n\\t'\\ufffd\xc3\xa4\\ufffd'\\r\\u0008\\u007f\\\\\""));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(Line, LeavesParametersOutWhenAsked) {
  const StatementParameter parameters[] = {{false, false, 25, "hunter2"}, {true, false, 25, ""}};
  record_.parameters = parameters;
  options_.redact = Redact::kParameters;
  const std::string line = Write();
  EXPECT_THAT(line, HasSubstr("statement: SELECT 1\""));
  EXPECT_THAT(line, HasSubstr("parameters: $1 = (hidden), $2 = NULL"));
  EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

TEST_F(Line, LeavesLiteralsOutWhenAsked) {
  options_.redact = Redact::kLiterals;
  EXPECT_THAT(Write(), HasSubstr("statement: select $1\""));
  record_.digest_text = "";
  EXPECT_THAT(WriteText("SELECT 'hunter2"), HasSubstr("statement: (hidden)\""));
}

TEST_F(Line, NeverHoldsAPassword) {
  const StatementParameter parameters[] = {{false, false, 25, "hunter2"}};
  record_.parameters = parameters;
  record_.digest_text = "alter role app password $1";
  EXPECT_THAT(WriteText("ALTER ROLE app PASSWORD 'hunter2'"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(Write(), HasSubstr("statement: alter role app password $1\""));
  record_.sqlstate = "22P02";
  record_.error = "bad value: \"hunter2\"";
  EXPECT_THAT(Write(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(Write(), HasSubstr("\"statement\":\"alter role app password $1\""));
}

TEST_F(Line, LeavesOutErrorsThatMayQuoteWhatIsHidden) {
  options_.redact = Redact::kParameters;
  record_.sqlstate = "23505";
  record_.error = "duplicate key (hunter2)";
  EXPECT_THAT(Write(), HasSubstr(R"x("state_code":"23505","message":"(hidden)")x"));
  record_.sqlstate = "40001";
  record_.error = "could not serialize access";
  EXPECT_THAT(Write(), HasSubstr(R"("message":"could not serialize access")"));
}

TEST_F(Line, HasAPlanInOneLine) {
  PlanRecord plan;
  plan.database = "shop";
  plan.user = "alice";
  plan.pid = 101;
  plan.asked = record_.finished;
  plan.digest = 0x00ab;
  plan.node = "db_shard_3";
  plan.json = "[\n  {\n    \"Plan\": {\"Filter\": \"(a = 'b \\\" \xff'::text)\"}\n  }\n]";
  EXPECT_EQ(
      SlowLogLine().WritePlan(plan),
      R"x({"timestamp":"2026-09-01 10:00:00.123 UTC","user":"alice","dbname":"shop","pid":101,)x"
      R"x("error_severity":"LOG","message":"plan of digest 00000000000000ab",)x"
      R"x("backend_type":"client backend","pgweir":{"v":1,"digest":"00000000000000ab",)x"
      R"x("shards":["db_shard_3"],"plan":[{"Plan":{"Filter":"(a = 'b \" ?'::text)"}}]}})x"
      "\n");
}

TEST_F(Line, LeavesOutWhatIsNotKnown) {
  example_.client.port = 0;
  example_.client.address = "[local]";
  record_.nodes = {};
  record_.role = NodeRole::kNone;
  record_.backend_pid = 0;
  record_.traceparent = record_.tag = "";
  const std::string line = Write();
  EXPECT_THAT(line, HasSubstr(R"("remote_host":"[local]","session_id")"));
  EXPECT_THAT(line, HasSubstr(R"("shards":[],"cached")"));
  EXPECT_THAT(line, Not(HasSubstr("server_pid")));
  EXPECT_THAT(line, Not(HasSubstr("traceparent")));
  EXPECT_THAT(line, Not(HasSubstr("\"ps\"")));
}

}  // namespace
}  // namespace pgweir::observe
