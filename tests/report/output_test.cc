// What leaves the report: text, JSON and the page. A log is written by whoever sends statements, so
// nothing in it may steer a terminal or break out of the page.

#include <gmock/gmock.h>

#include "base/json_text.h"
#include "report/amounts.h"
#include "report/options.h"
#include "report/page.h"
#include "report/terminal.h"
#include "report/text.h"
#include "tests/report/log_lines.h"
#include "web/pages.h"

namespace pgweir::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(CutText("aé", 3), "aé");
  EXPECT_EQ(CutText("aéb", 2), "a");
  EXPECT_EQ(CutText("日本", 5), "日");
  EXPECT_EQ(CutColumns("日本語", 2), "日…");
  EXPECT_EQ(CutColumns("日本", 2), "日本");
}

TEST(Text, OutlineHasNoLiteralsCommentsOrLineEnds) {
  EXPECT_EQ(OutlineOf("SELECT *\n  FROM t1 /* c */ WHERE a = 'it''s' -- end\n AND b=1.5e3", 99),
            "SELECT * FROM t1 WHERE a = ? AND b=?");
  EXPECT_EQ(OutlineOf("SELECT $1, $tag$ ' $tag$, $$x$$, a$1", 99), "SELECT $1, ?, ?, a$1");
  EXPECT_EQ(OutlineOf("SELECT 'open", 99), "SELECT ?");
  EXPECT_EQ(OutlineOf("/* open", 99), "");
  EXPECT_EQ(OutlineOf("$", 99), "$");
  EXPECT_EQ(OutlineOf("SELECT aaaaaaaaaaaaaaaaaa", 12), "SELECT aa…");
}

TEST(Text, ThatIsPrintedSteersNoTerminal) {
  EXPECT_EQ(PrintableText("a\x1b[31m\n\x7f\xc2\x9b é"), "a?[31m??? é");
}

TEST(Amounts, AreShort) {
  EXPECT_EQ(TimeText(0), "0 µs");
  EXPECT_EQ(TimeText(999), "999 µs");
  EXPECT_EQ(TimeText(1500), "1.50 ms");
  EXPECT_EQ(TimeText(99'960'000), "100 s");
  EXPECT_EQ(TimeText(3600e6), "60.0 min");
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(1234567), "1,234,567");
  EXPECT_EQ(ShareText(1, 3), "33.3 %");
  EXPECT_EQ(ShareText(0, 0), "-");
}

TEST(JsonText, LetsNothingOutOfAScript) {
  JsonText json;
  json.BeginObject().Key("a<").String("</script><!--&\"\\\n\x01\x7f").Key("b");
  json.BeginArray().Number(-1).Number(2).Decimal(1.05).BeginArray().EndArray().EndArray();
  json.EndObject();
  EXPECT_EQ(json.text(), R"({"a\u003c":"\u003c/script\u003e\u003c!--\u0026\"\\\u000a\u0001\u007f",)"
                         R"("b":[-1,2,1.05,[]]})");
}

constexpr std::string_view kHostile = "</script><img src=x onerror=alert(1)> \\u001b[31m \\u009b";

Summary HostileSummary() {
  Summary summary;
  AddLine(summary, {.user = kHostile,
                    .database = kHostile,
                    .digest = kHostile,
                    .shards = R"(["</script><b>"])",
                    .sql = kHostile});
  summary.AddFault("<b>:1", "</script>");
  return summary;
}

TEST(Page, HasNoMarkupFromTheLog) {
  const Summary summary = HostileSummary();
  const std::string data = PageData(summary, {"<i>.json"});
  EXPECT_EQ(data.find_first_of("<>&"), std::string::npos) << data;
  EXPECT_THAT(data, HasSubstr(R"(\u003c/script\u003e\u003cimg src=x onerror=alert(1)\u003e)"));
  EXPECT_EQ(HtmlPage(summary, {"<i>.json"}),
            std::string(web::kReportHead) + data + std::string(web::kReportTail));
}

TEST(Page, LoadsNothingAndNamesItsLibrary) {
  const std::string page = std::string(web::kReportHead) + std::string(web::kReportTail);
  EXPECT_THAT(page, AllOf(HasSubstr("default-src 'none'"), HasSubstr("The MIT License (MIT)"),
                          HasSubstr("Leon Sorokin"), HasSubstr("new uPlot")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr(" src=")), Not(HasSubstr("<link")),
                          Not(HasSubstr("@import")), Not(HasSubstr("innerHTML = "))));
}

TEST(TerminalReport, ShowsTheHostileAsQuestionMarks) {
  const std::string text = TerminalReport(HostileSummary(), Options(), 200);
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ');
  EXPECT_THAT(text, AllOf(HasSubstr("1 statements"), HasSubstr("1 broken"),
                          HasSubstr("<b>:1: </script>"), Not(HasSubstr("\xc2\x9b"))));
}

TEST(TerminalReport, OrdersDigestsAndBlamesTheRightPart) {
  Summary summary;
  for (int i = 0; i < 30; ++i) AddLine(summary, {.digest = "many", .queue = 0, .total = 3000});
  AddLine(summary, {.digest = "slow", .queue = 900'000, .total = 1'000'000});
  const auto first = [&](Order order) {
    Options options;
    options.order = order;
    options.top = 1;
    const std::string text = TerminalReport(summary, options, 200);
    EXPECT_EQ(text.find("many") == std::string::npos, text.find("slow") != std::string::npos);
    return text.find("many") == std::string::npos ? "slow" : "many";
  };
  EXPECT_EQ(first(Order::kTotal), std::string("slow"));
  EXPECT_EQ(first(Order::kP95), std::string("slow"));
  EXPECT_EQ(first(Order::kCalls), std::string("many"));
  EXPECT_THAT(TerminalReport(summary, Options(), 200), HasSubstr("82.6 %     900 ms"));
}

TEST(Options, AreRead) {
  const auto options = ParseOptions({"a.json", "--html", "o.html", "--sort=p95", "--top", "5",
                                     "--user", "app", "--from", "2026-11-21", "-", "--", "--odd"});
  ASSERT_TRUE(options.ok()) << MessageOf(options.status());
  EXPECT_THAT(options->files, testing::ElementsAre("a.json", "-", "--odd"));
  EXPECT_EQ(options->html, "o.html");
  EXPECT_EQ(options->order, Order::kP95);
  EXPECT_EQ(options->top, 5);
  EXPECT_EQ(options->filter.user, "app");
  EXPECT_GT(options->filter.from, 0);
  EXPECT_TRUE(ParseOptions({"--help"})->help);
  EXPECT_TRUE(ParseOptions({"a", "-h"})->help);
}

TEST(Options, ThatMakeNoSenseSayWhatWould) {
  const auto fault = [](const std::vector<std::string_view>& arguments) {
    return MessageOf(ParseOptions(arguments).status());
  };
  EXPECT_THAT(fault({}), HasSubstr("FILE is missing"));
  EXPECT_THAT(fault({"a", "--sort", "x"}), HasSubstr("total, p95 or calls, not \"x\""));
  EXPECT_THAT(fault({"a", "--top", "0"}), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(fault({"a", "--html"}), HasSubstr("--html takes a value"));
  EXPECT_THAT(fault({"a", "--from", "soon"}), HasSubstr("such as \"2026-11-21 10:00\""));
  EXPECT_THAT(fault({"a", "--frob"}), HasSubstr("unknown option \"--frob\"; see pgweir report"));
}

}  // namespace
}  // namespace pgweir::report
