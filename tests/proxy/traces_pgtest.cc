// Statements as spans, as a collector of OpenTelemetry's gets them.

#include <gmock/gmock.h>
#include <signal.h>

#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/otlp_collector.h"
#include "tests/support/proxy_test.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kParent = "b7ad6b7169203331";

std::string Traceparent(std::string_view flags = "01") {
  return fmt::format("00-{}-{}-{}", kTrace, kParent, flags);
}

// `sql` with the trace in a comment, as sqlcommenter puts it.
std::string Traced(std::string_view sql, std::string_view flags = "01") {
  return fmt::format("{} /*app='shop',traceparent='{}'*/", sql, Traceparent(flags));
}

std::string Section(std::string_view url, std::string_view more = "") {
  return fmt::format("[traces]\notlp = \"{}\"\n{}\n", url, more);
}

class Traces : public ProxyTest {
 protected:
  static PgweirOptions Options(std::string_view traces, std::string pool = "size = 5") {
    return {.pool = std::move(pool),
            .databases = DatabaseToml("*", server().port()) + std::string(traces)};
  }
  // A sample of the metrics.
  static int64_t Metric(int http, const std::string& name) {
    RawClient client(http);
    client.Send("GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    std::string page;
    try {
      for (;;) page += client.ReadByte();
    } catch (const std::exception&) {  // its end
    }
    const size_t at = page.find("\n" + name + " ");
    return at == page.npos ? -1 : std::stoll(page.substr(at + name.size() + 2));
  }
  static int64_t SpansThatWere(int http, std::string_view outcome) {
    return Metric(http, fmt::format("pgweir_trace_spans_total{{outcome=\"{}\"}}", outcome));
  }
  static uint64_t Now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }
};

TEST_F(Traces, AStatementGoesBelowTheClientsSpan) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url(), "service_name = \"market\"")));
  Connection client(process.Conninfo());
  const uint64_t before = Now();
  ASSERT_TRUE(client.Exec(Traced("select n, 'value' as seen from generate_series(1, 3) n")).ok());
  const uint64_t after = Now();
  const auto span = collector.SpanWith("as seen");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->trace, kTrace);
  EXPECT_EQ(span->parent, kParent);
  EXPECT_EQ(span->name, "select n, $1 as seen from generate_series($2, $3) n");
  EXPECT_EQ(span->status, 0);
  EXPECT_EQ(span->attributes.at("db.system.name"), "postgresql");
  EXPECT_EQ(span->attributes.at("db.namespace"), "postgres");
  EXPECT_EQ(span->attributes.at("db.operation.name"), "SELECT");
  EXPECT_EQ(span->attributes.at("user.name"), "postgres");
  EXPECT_EQ(span->attributes.at("pgweir.rows"), "3");
  EXPECT_EQ(span->attributes.at("pgweir.cache"), "none");
  // The system's clock is looked at ten times a second.
  EXPECT_GE(span->begin, before - 1'000'000);
  EXPECT_LE(span->end, after + 1'000'000);
  const auto below = collector.Below(*span);
  ASSERT_TRUE(below.contains("server"));
  EXPECT_EQ(below.at("server").kind, 3);
  EXPECT_FALSE(below.contains("cache"));
  uint64_t sum = 0;
  for (const auto& [name, part] : below) {
    EXPECT_GE(part.begin, span->begin) << name;
    EXPECT_LE(part.end, span->end) << name;
    sum += part.micros();
  }
  EXPECT_LE(sum, span->micros());
  EXPECT_THAT(collector.head(), HasSubstr("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(collector.head(), HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(ReadOtlpRequest(collector.bodies()).resource.at("service.name"), "market");
}

// As the client's trace says; without one by `sample`.
TEST_F(Traces, OnlyWhatIsSampledIsSent) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url())));
  Connection client(process.Conninfo());
  client.Exec(Traced("select 1 as not_sampled", "00"));
  client.Exec("select 1 as without");
  client.Exec("/* traceparent='nonsense' */ select 1 as nonsense");
  client.Exec(fmt::format("select '/*traceparent=''{}''*/' as quoted", Traceparent()));
  client.Exec(Traced("select 1 as sampled"));
  EXPECT_TRUE(collector.SpanWith("as sampled").has_value());
  for (const char* part : {"not_sampled", "without", "nonsense", "quoted"}) {
    EXPECT_THAT(collector.bodies(), Not(HasSubstr(part)));
  }
  process.Rewrite(Options(Section(collector.Url(), "sample = 1")));
  ASSERT_TRUE(process.Reload());
  client.Exec(Traced("select 2 as never", "00"));
  client.Exec("select 2 as drawn");
  const auto span = collector.SpanWith("as drawn");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->parent, "");
  EXPECT_NE(span->trace, kTrace);
  EXPECT_THAT(collector.bodies(), Not(HasSubstr("never")));
}

TEST_F(Traces, ASettingNamesTheTraceOfWhatFollows) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url())));
  Connection client(process.Conninfo());
  client.Exec(fmt::format("set pgweir.traceparent = '{}'", Traceparent()));
  EXPECT_TRUE(client.ExecParams("select $1::int as by_setting", {"7"}).ok());
  const auto span = collector.SpanWith("by_setting");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->trace, kTrace);
  EXPECT_EQ(span->parent, kParent);
  client.Exec(fmt::format("set pgweir.traceparent = '{}'", Traceparent("00")));
  client.Exec("select 1 as off_again");
  client.Exec(Traced("select 1 as last"));  // a comment says more than a setting
  EXPECT_TRUE(collector.SpanWith("as last").has_value());
  EXPECT_THAT(collector.bodies(), Not(HasSubstr("off_again")));
}

TEST_F(Traces, AnErrorHasItsSqlstateAndNoValue) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url())));
  Connection client(process.Conninfo());
  EXPECT_EQ(client.Exec(Traced("select 'hunter2'::int as failing")).sqlstate(), "22P02");
  const auto span = collector.SpanWith("as failing");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->status, 2);
  EXPECT_EQ(span->attributes.at("db.response.status_code"), "22P02");
  EXPECT_THAT(collector.bodies(), Not(HasSubstr("hunter2")));
}

TEST_F(Traces, NeverHaveAPassword) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url(), "sample = 1.0")));
  Connection client(process.Conninfo());
  client.Exec("create role traced password 'top-secret'");
  client.Exec("alter role traced password 'top-secret-2'");
  client.Exec("alter role nobody password 'top-secret-3'");
  client.Exec("drop role traced");
  EXPECT_TRUE(collector.SpanWith("drop role").has_value());
  EXPECT_THAT(collector.bodies(), Not(HasSubstr("top-secret")));
  EXPECT_THAT(collector.bodies(), Not(HasSubstr("password")));
  EXPECT_TRUE(collector.SpanWith("CREATE").has_value());
}

TEST_F(Traces, WaitingForABackendIsTheQueue) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url()), "size = 1"));
  Connection holder(process.Conninfo()), client(process.Conninfo());
  client.Exec("select 1");
  holder.Send("select pg_sleep(0.4)");
  std::this_thread::sleep_for(milliseconds(100));
  client.Exec(Traced("select 1 as queued"));
  while (holder.Next()) {
  }
  const auto span = collector.SpanWith("as queued");
  ASSERT_TRUE(span.has_value());
  const auto below = collector.Below(*span);
  ASSERT_TRUE(below.contains("queue"));
  EXPECT_GE(below.at("queue").micros(), 250'000u);
  EXPECT_GE(below.at("queue").micros(), span->micros() * 9 / 10);
}

// Slow, and much.
TEST_F(Traces, TheServersTimeAndTheAnswersAreApart) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url())));
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Query(Traced("select pg_sleep(0.2) as slow")));
  client.ReadUntilReady();
  const auto slow = collector.SpanWith("as slow");
  ASSERT_TRUE(slow.has_value());
  EXPECT_GE(collector.Below(*slow)["server"].micros(), 200'000u);
  client.Send(
      fe::Query(Traced("select repeat('x', 1000) as unread from generate_series(1, 20000)")));
  std::this_thread::sleep_for(milliseconds(500));
  client.ReadUntilReady();
  const auto unread = collector.SpanWith("as unread");
  ASSERT_TRUE(unread.has_value());
  EXPECT_GE(collector.Below(*unread)["transfer"].micros(), 300'000u);
}

TEST_F(Traces, ACollectorThatIsDownCostsSpansOnly) {
  const int http = FreePort();
  const std::string admin = fmt::format("[admin]\nhttp = \"127.0.0.1:{}\"\n", http);
  PgweirProcess process(
      Options(Section(fmt::format("http://127.0.0.1:{}", FreePort()), "sample = 1.0") + admin));
  Connection client(process.Conninfo());
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(client.Exec("select 1").ok());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
  EXPECT_TRUE(WaitUntil([&] { return SpansThatWere(http, "failed") >= 100; }));
  EXPECT_EQ(SpansThatWere(http, "exported"), 0);
  EXPECT_TRUE(process.WaitLog("spans are lost: 127.0.0.1:"));

  // It comes up, elsewhere.
  OtlpCollector collector;
  process.Rewrite(Options(Section(collector.Url(), "sample = 1.0") + admin));
  ASSERT_TRUE(process.Reload());
  client.Exec("select 1 as taken");
  EXPECT_TRUE(collector.SpanWith("as taken").has_value());
  EXPECT_TRUE(WaitUntil([&] { return SpansThatWere(http, "exported") > 0; }));
}

TEST_F(Traces, ACollectorThatHangsHoldsNeitherStatementsNorTheEnd) {
  OtlpCollector collector;
  collector.set_status(0);
  const int http = FreePort();
  PgweirProcess process(
      Options(Section(collector.Url(), "sample = 1.0\nmax_queue_bytes = \"64KiB\"") +
              fmt::format("[admin]\nhttp = \"127.0.0.1:{}\"\n", http)));
  Connection client(process.Conninfo());
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(client.Exec("select 1").ok());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
  EXPECT_GT(SpansThatWere(http, "dropped"), 0);
  EXPECT_TRUE(WaitUntil([&] { return collector.requests() > 0; }));
  client.Close();
  const auto asked = std::chrono::steady_clock::now();
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitExit(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(3));
  EXPECT_THAT(process.log(), Not(HasSubstr("owes an answer")));
}

TEST_F(Traces, WhatIsQueuedIsSentAtTheEnd) {
  OtlpCollector collector;
  PgweirProcess process(Options(Section(collector.Url())));
  {
    Connection client(process.Conninfo());
    client.Exec(Traced("select 1 as at_the_end"));
  }
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitExit(), 0);
  EXPECT_THAT(collector.bodies(), HasSubstr("at_the_end"));
}

class CacheTraces : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(""); }
};

TEST_F(CacheTraces, AnAnswerFromTheCacheHasNoServer) {
  OtlpCollector collector;
  const auto process = Start(Options(std::string(kEveryRead) + Section(collector.Url())));
  ASSERT_TRUE(WaitKnown(*process));
  Connection client(process->Conninfo());
  client.Exec(Traced("select n as asked from counter"));
  const auto miss = collector.SpanWith("as asked");
  ASSERT_TRUE(miss.has_value());
  EXPECT_EQ(miss->attributes.at("pgweir.cache"), "miss");
  EXPECT_TRUE(collector.Below(*miss).contains("server"));
  EXPECT_FALSE(collector.Below(*miss).contains("cache"));

  const size_t before = collector.spans().size();
  client.Exec(Traced("select n as asked from counter"));
  ASSERT_TRUE(WaitUntil([&] { return collector.spans().size() > before; }));
  const auto hit = collector.SpanWith("as asked");  // the newest
  EXPECT_EQ(hit->attributes.at("pgweir.cache"), "hit");
  const auto below = collector.Below(*hit);
  EXPECT_TRUE(below.contains("cache"));
  EXPECT_FALSE(below.contains("server"));
  EXPECT_FALSE(below.contains("queue"));
}

}  // namespace
}  // namespace pgweir::test
