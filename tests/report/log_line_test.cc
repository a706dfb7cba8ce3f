#include "report/log_line.h"

#include <gmock/gmock.h>

#include "report/duration_message.h"
#include "report/timestamp.h"
#include "tests/report/log_lines.h"

namespace pgweir::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kTen = 1795255200'000000;  // 2026-11-21 10:00:00 UTC

TEST(Timestamp, IsReadAsPostgresAndIso8601WriteIt) {
  EXPECT_EQ(ParseTimestamp("2026-11-21 10:00:00.123 UTC"), kTen + 123'000);
  EXPECT_EQ(ParseTimestamp("2026-11-21 10:00:00 GMT"), kTen);
  EXPECT_EQ(ParseTimestamp("2026-11-21T10:00:00.000456Z"), kTen + 456);
  EXPECT_EQ(ParseTimestamp("2026-11-21 12:00:00+02"), kTen);
  EXPECT_EQ(ParseTimestamp("2026-11-21 04:30:00 -05:30"), kTen);
  EXPECT_EQ(ParseTimestamp("2026-11-21 10:00"), kTen);
  EXPECT_EQ(ParseTimestamp("2026-11-21"), kTen - 36000'000000);
  EXPECT_EQ(FormatSecond(kTen / 1'000'000), "2026-11-21 10:00:00");
}

TEST(Timestamp, IsNoneForWhatIsNoTimeAndForAbsurdYears) {
  for (const std::string_view text :
       {"", "now", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-11-21 25:00:00",
        "2026-11-21 10:61:00", "1970-01-01 00:00:00", "9999-01-01 00:00:00", "2026-11-21x10:00:00",
        "2026/11/21 10:00:00"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(DurationMessage, IsReadInAllItsForms) {
  const auto sql = [](std::string_view message) {
    const auto parsed = ParseDurationMessage(message);
    return parsed ? std::string(parsed->sql) : "none";
  };
  EXPECT_EQ(sql("duration: 12.345 ms  statement: SELECT 1"), "SELECT 1");
  EXPECT_EQ(sql("duration: 1 ms  execute <unnamed>: SELECT a::text"), "SELECT a::text");
  EXPECT_EQ(sql("duration: 1 ms  rows: 5  size: 300 bytes  execute s1: SELECT 1"), "SELECT 1");
  EXPECT_EQ(sql("duration: 1 ms  rows: 5  statement: x: y"), "x: y");
  EXPECT_EQ(sql("duration: 1 ms"), "");
  EXPECT_EQ(sql("duration: soon ms  statement: SELECT 1"), "none");
  EXPECT_EQ(sql("checkpoint starting: time"), "none");
  EXPECT_DOUBLE_EQ(ParseDurationMessage("duration: 12.345 ms")->milliseconds, 12.345);
}

TEST(DurationMessage, ParametersStandBehindTheirWord) {
  EXPECT_EQ(ParametersIn("Parameters: $1 = 'x', $2 = NULL"), "$1 = 'x', $2 = NULL");
  EXPECT_EQ(ParametersIn("parameters: $1 = 'x'"), "$1 = 'x'");
  EXPECT_EQ(ParametersIn("Key (id)=(1) already exists."), "");
}

TEST(LogLine, GivesAllThatIsKnownOfAStatement) {
  PaddedParser parser;
  ASSERT_EQ(
      parser.Parse(
          R"({"timestamp":"2026-11-21 10:00:00.500 UTC","user":"app","dbname":"market","pid":"7",)"
          R"("remote_host":"10.0.0.1","error_severity":"LOG",)"
          R"("message":"duration: 9.000 ms  execute s1: SELECT \"a\" \u007d -- \u00e9",)"
          R"("detail":"Parameters: $1 = 'x'","application_name":"web","pgweir":{"digest":"12ab",)"
          R"("shards":["a","b"],"role":"replica","cached":false,"wait_us":1000,"backend_us":2000,)"
          R"("transfer_us":3000,"blocked_us":500,"total_us":7000,"rows":5,"bytes":300,"retries":1,)"
          R"("traceparent":"00-1-2-01","plan":[{"Plan":{"Node Type":"Result"}}]}})"),
      LineKind::kStatement)
      << parser.fault();
  const Statement& s = parser.statement();
  EXPECT_EQ(s.at, kTen + 500'000);
  EXPECT_EQ(s.user, "app");
  EXPECT_EQ(s.database, "market");
  EXPECT_EQ(s.remote_host, "10.0.0.1");
  EXPECT_EQ(s.application, "web");
  EXPECT_EQ(s.sql, "SELECT \"a\" } -- é");
  EXPECT_EQ(s.parameters, "$1 = 'x'");
  EXPECT_EQ(s.digest, "12ab");
  EXPECT_THAT(s.shards, ElementsAre("a", "b"));
  EXPECT_EQ(s.role, "replica");
  EXPECT_EQ(s.traceparent, "00-1-2-01");
  EXPECT_EQ(s.plan, R"([{"Plan":{"Node Type":"Result"}}])");
  EXPECT_EQ(s.time.queue, 1000U);
  EXPECT_EQ(s.time.server, 2000U);
  EXPECT_EQ(s.time.transfer, 2500U);
  EXPECT_EQ(s.time.client, 500U);
  EXPECT_EQ(s.time.total, 7000U);
  EXPECT_EQ(s.rows, 5U);
  EXPECT_EQ(s.bytes, 300U);
  EXPECT_EQ(s.retries, 1U);
  EXPECT_FALSE(s.failed);
  EXPECT_FALSE(s.cached);
}

TEST(LogLine, KnowsErrorsWithTheirStatement) {
  PaddedParser parser;
  ASSERT_EQ(parser.Parse(R"({"timestamp":"2026-11-21 10:00:00 UTC","error_severity":"ERROR",)"
                         R"("state_code":"57014","message":"canceling statement",)"
                         R"("statement":"SELECT 9","pgweir":{"total_us":5}})"),
            LineKind::kStatement);
  EXPECT_TRUE(parser.statement().failed);
  EXPECT_EQ(parser.statement().sqlstate, "57014");
  EXPECT_EQ(parser.statement().error, "canceling statement");
  EXPECT_EQ(parser.statement().sql, "SELECT 9");
}

TEST(LogLine, KnowsAPlanByItself) {
  PaddedParser parser;
  ASSERT_EQ(parser.Parse(PlanLineOf("00000000000000aa", "Result")), LineKind::kPlan);
  EXPECT_EQ(parser.statement().at, kTen);
  EXPECT_EQ(parser.statement().user, "app");
  EXPECT_EQ(parser.statement().digest, "00000000000000aa");
  EXPECT_EQ(parser.statement().plan, R"([{"Plan":{"Node Type":"Result"}}])");
}

TEST(LogLine, LeavesOutWhatIsMissingOrOfAnotherType) {
  PaddedParser parser;
  ASSERT_EQ(
      parser.Parse(R"({"timestamp":"2026-11-21 10:00:00 UTC","user":5,"dbname":null,)"
                   R"("message":"duration: 1.5 ms","pgweir":{"shards":"one","wait_us":"12",)"
                   R"("backend_us":-5,"transfer_us":1e300,"rows":{},"cached":"hit","new":[1]}})"),
      LineKind::kStatement)
      << parser.fault();
  const Statement& s = parser.statement();
  EXPECT_EQ(s.user, "");
  EXPECT_THAT(s.shards, ElementsAre("one"));
  EXPECT_EQ(s.time.queue, 12U);
  EXPECT_EQ(s.time.server, 0U);
  EXPECT_EQ(s.time.transfer, 1'000'000'000'000U);
  EXPECT_EQ(s.time.total, s.time.Known());
  EXPECT_TRUE(s.cached);

  ASSERT_EQ(parser.Parse(R"({"timestamp":"2026-11-21 10:00:00 UTC",)"
                         R"("message":"duration: 1.5 ms","pgweir":{}})"),
            LineKind::kStatement);
  EXPECT_EQ(parser.statement().time.total, 1500U);
}

TEST(LogLine, OfPostgresItselfIsAnother) {
  PaddedParser parser;
  EXPECT_EQ(parser.Parse(R"({"timestamp":"2026-11-21 10:00:00.123 UTC","pid":1,)"
                         R"("message":"checkpoint starting: time","backend_type":"checkpointer"})"),
            LineKind::kOther);
  EXPECT_EQ(parser.Parse(R"({"timestamp":"x","pgweir":7})"), LineKind::kOther);
  EXPECT_EQ(parser.Parse("{}"), LineKind::kOther);
}

TEST(LogLine, ThatIsBrokenSaysWhy) {
  PaddedParser parser;
  for (const std::string_view line :
       {"no JSON at all", "[1,2]", "7", "\"text\"", R"({"timestamp":"2026-11-21)", "{", "}",
        R"({"a":1}{"b":2})", "{\"user\":\"\xff\"}", R"({"pgweir":{"shards":[}})"}) {
    EXPECT_EQ(parser.Parse(line), LineKind::kBroken) << line;
    EXPECT_THAT(parser.fault(), HasSubstr("is no JSON object: ")) << line;
  }
  EXPECT_EQ(parser.Parse(R"({"pgweir":{}})"), LineKind::kBroken);
  EXPECT_EQ(parser.fault(), "has no timestamp");
  EXPECT_EQ(parser.Parse(R"({"timestamp":"9999-01-01 00:00:00","pgweir":{}})"), LineKind::kBroken);
  EXPECT_THAT(parser.fault(), HasSubstr("no time of 2000 to 2099"));
}

TEST(LogLine, IsReadWhateverTheLineBeforeWas) {
  PaddedParser parser;
  const std::string good = LineOf({.total = 4321});
  for (size_t cut = 0; cut < good.size(); ++cut) {
    ASSERT_NE(parser.Parse(good.substr(0, cut)), LineKind::kStatement) << cut;
    ASSERT_EQ(parser.Parse(good), LineKind::kStatement) << cut;
    ASSERT_EQ(parser.statement().time.total, 4321U);
  }
}

TEST(LogLine, HoldsAStatementOfAMegabyte) {
  PaddedParser parser;
  const std::string sql(1 << 20, 'x');
  ASSERT_EQ(parser.Parse(LineOf({.sql = sql})), LineKind::kStatement);
  EXPECT_EQ(parser.statement().sql, sql);
}

}  // namespace
}  // namespace pgweir::report
