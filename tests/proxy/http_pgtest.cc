// What is answered by HTTP: metrics for Prometheus, health for balancers.

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <regex>
#include <set>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/child_process.h"
#include "tests/support/four_shards.h"
#include "tests/support/proxy_test.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Answer {
  int status = 0;
  std::string head, body;
};

Answer Read(RawClient& client) {
  Answer answer;
  while (!answer.head.ends_with("\r\n\r\n")) answer.head += client.ReadByte();
  answer.status = std::stoi(answer.head.substr(answer.head.find(' ')));
  std::smatch length;
  const std::regex header("Content-Length: ([0-9]+)");
  if (!std::regex_search(answer.head, length, header)) return answer;
  for (int left = std::stoi(length[1]); left > 0; --left) answer.body += client.ReadByte();
  return answer;
}

Answer Ask(int port, const std::string& request) {
  RawClient client(port);
  client.Send(request);
  return Read(client);
}

Answer Get(int port, std::string_view path) {
  return Ask(port, fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n\r\n", path));
}

// The value of a sample; "" when there is none.
std::string Sample(const std::string& metrics, const std::string& name) {
  const size_t at = metrics.find("\n" + name + " ");
  if (at == std::string::npos) return "";
  const size_t value = at + name.size() + 2;
  return metrics.substr(value, metrics.find('\n', value) - value);
}

class Http : public ProxyTest {
 protected:
  static PgweirOptions Options(int http, std::string_view more = "") {
    return {.databases = DatabaseToml("*", server().port()) +
                         fmt::format("[admin]\nhttp = \"127.0.0.1:{}\"\n{}", http, more)};
  }
};

TEST_F(Http, MetricsCountPlansByWhatBecameOfThem) {
  const int http = FreePort();
  PgweirProcess process(
      Options(http, "[slow_log]\npath = \"@/slow.json\"\nthreshold = \"0ms\"\nplans = true\n"));
  Connection client(process.Conninfo());
  client.Exec("create temporary table gone (n int)");
  const auto plans = [&](std::string_view outcome) {
    return Sample(Get(http, "/metrics").body,
                  fmt::format("pgweir_plans_total{{outcome=\"{}\"}}", outcome));
  };
  // One plan of a pool at a time.
  const std::pair<const char*, const char*> asked[] = {{"select 1", "captured"},
                                                       {"select 1, 'passwords'", "left_out"},
                                                       {"select n from gone", "failed"}};
  for (const auto& [sql, outcome] : asked) {
    client.Exec(sql);
    EXPECT_TRUE(WaitUntil([&] { return plans(outcome) == "1"; })) << outcome;
  }
  EXPECT_EQ(plans("no_backend"), "0");
}

TEST_F(Http, MetricsCountWhatClientsDo) {
  const int http = FreePort();
  PgweirProcess process(Options(http));
  Connection client(process.Conninfo());
  for (int i = 0; i < 9; ++i) client.Exec("select 1");
  client.Exec("select 1 / 0");
  client.Exec("select pg_sleep(0.06)");
  std::string metrics;
  ASSERT_TRUE(WaitUntil([&] {
    metrics = Get(http, "/metrics").body;
    return Sample(metrics, "pgweir_statement_duration_seconds_count") == "11";
  })) << metrics;
  EXPECT_EQ(Sample(metrics, "pgweir_queries_total{database=\"postgres\"}"), "11");
  EXPECT_EQ(Sample(metrics, "pgweir_statement_errors_total"), "1");
  EXPECT_EQ(Sample(metrics, "pgweir_statement_duration_seconds_bucket{le=\"0.05\"}"), "10");
  EXPECT_EQ(Sample(metrics, "pgweir_statement_duration_seconds_bucket{le=\"+Inf\"}"), "11");
  EXPECT_GE(std::stod(Sample(metrics, "pgweir_statement_part_seconds_total{part=\"backend\"}")),
            0.06);
  EXPECT_EQ(Sample(metrics, "pgweir_clients"), "1");
  EXPECT_EQ(Sample(metrics,
                   "pgweir_pool_backends{database=\"postgres\",user=\"postgres\","
                   "node=\"*\",state=\"idle\"}"),
            "1")
      << metrics;
}

// As Prometheus wants it: each line a comment or a sample, no sample twice, all of one name
// together.
TEST_F(Http, MetricsAreWellFormed) {
  const int http = FreePort();
  PgweirProcess process(Options(http));
  Connection client(process.Conninfo());
  client.Exec("select 1");
  const Answer answer = Get(http, "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  const std::regex sample(R"re([a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [-+0-9.eInf]+)re");
  std::set<std::string> seen;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    EXPECT_TRUE(std::regex_match(line, sample)) << line;
    EXPECT_THAT(line, StartsWith("pgweir_"));
    EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
  }
  EXPECT_GT(seen.size(), 40u);
}

TEST_F(Http, DrainingIsHealthyButNotReady) {
  const int http = FreePort();
  PgweirProcess process(Options(http));
  Connection client(process.Conninfo());
  EXPECT_EQ(Get(http, "/health").status, 200);
  EXPECT_EQ(Get(http, "/ready").status, 200);
  process.Signal(SIGTERM);  // ends when its clients have left
  ASSERT_TRUE(WaitUntil([&] { return Get(http, "/ready").status == 503; }));
  EXPECT_THAT(Get(http, "/ready").body, HasSubstr("draining"));
  EXPECT_EQ(Get(http, "/health").status, 200);
  EXPECT_THAT(Get(http, "/health/detailed").body, HasSubstr("\"status\":\"draining\""));
  EXPECT_TRUE(client.Exec("select 1").ok());
  client.Close();
  EXPECT_EQ(process.WaitExit(), 0);
}

TEST_F(Http, ANodeWithoutItsPrimaryIsNotReady) {
  const int http = FreePort();
  PgweirOptions options = Options(http);
  options.databases += fmt::format(
      "[databases.lost]\nprimary = \"host=127.0.0.1 port={} user=postgres\"\n"
      "replicas = [\"host=127.0.0.1 port={} user=postgres\"]\n",
      FreePort(), FreePort());
  PgweirProcess process(options);
  ASSERT_TRUE(WaitUntil([&] { return Get(http, "/ready").status == 503; }));
  const Answer answer = Get(http, "/health/db");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("\"lost\":\"down\""));
  EXPECT_EQ(Get(http, "/health").status, 200);
}

TEST_F(Http, WhatIsNoGoodRequestIsRefused) {
  const int http = FreePort();
  PgweirProcess process(Options(http));
  EXPECT_EQ(Get(http, "/nothing").status, 404);
  EXPECT_EQ(Get(http, "/health?verbose=1").status, 200);
  EXPECT_EQ(Ask(http, "POST /health HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").status, 405);
  EXPECT_EQ(Ask(http, "nonsense\r\n\r\n").status, 400);
  EXPECT_EQ(Ask(http, "GET /health HTTP/1.1\r\nX: " + std::string(20'000, 'x')).status, 400);
  // On one connection, one after the other.
  RawClient client(http);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_EQ(Read(client).status, 200);
  }
  // Whoever only sits there takes nothing from clients.
  std::vector<RawClient> sitting;
  for (int i = 0; i < 40; ++i) sitting.emplace_back(http);
  EXPECT_TRUE(Connection(process.Conninfo()).Exec("select 1").ok());
  sitting.clear();
  EXPECT_TRUE(WaitUntil([&] {
    try {
      return Get(http, "/health").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  }));
}

TEST_F(Http, ATakenPortIsSaid) {
  const int http = FreePort();
  PgweirProcess process(Options(http));
  PgweirOptions second = Options(http);
  second.wait_ready = false;
  PgweirProcess other(second);
  EXPECT_EQ(other.WaitExit(), 1);
  EXPECT_THAT(other.log(), HasSubstr("admin.http: can't listen on 127.0.0.1:"));
}

TEST_F(Http, APortIsSharedByThoseThatShareTheirs) {
  const int http = FreePort();
  PgweirOptions options = Options(http);
  options.listen = "workers = 2\nso_reuseport = true";
  PgweirProcess process(options);
  PgweirProcess other(options);
  EXPECT_EQ(Get(http, "/health").status, 200);
}

TEST_F(Http, ATokenIsAskedFor) {
  const int http = FreePort();
  PgweirOptions options = Options(http);
  options.databases += "http_token_file = \"token\"\n";
  options.files = {{"token", "0123456789abcdef\n"}};
  PgweirProcess process(options);
  const auto shown = [&](std::string_view path, std::string_view header) {
    return Ask(http, fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, header)).status;
  };
  for (const char* path : {"/", "/metrics", "/dashboard.json", "/health/db", "/health/detailed"}) {
    EXPECT_EQ(shown(path, ""), 401) << path;
    EXPECT_EQ(shown(path, "Authorization: Bearer 0123456789abcdee\r\n"), 401) << path;
    EXPECT_EQ(shown(path, "Authorization: Bearer 0123456789abcdef\r\n"), 200) << path;
    // anybody:0123456789abcdef and :0123456789abcdee
    EXPECT_EQ(shown(path, "Authorization: Basic YW55Ym9keTowMTIzNDU2Nzg5YWJjZGVm\r\n"), 200)
        << path;
    EXPECT_EQ(shown(path, "Authorization: Basic OjAxMjM0NTY3ODlhYmNkZWU=\r\n"), 401) << path;
    EXPECT_EQ(shown(path, "Authorization: Basic ?\r\n"), 401) << path;
  }
  EXPECT_THAT(Get(http, "/").head, HasSubstr("WWW-Authenticate: Basic realm=\"pgweir\", Bearer"));
  EXPECT_EQ(shown("/health", ""), 200);
  EXPECT_EQ(shown("/ready", ""), 200);

  // A new one counts from the reload on; one that is too short leaves the old one.
  std::ofstream(process.folder() + "/token") << "short\n";
  process.Signal(SIGHUP);
  ASSERT_TRUE(WaitUntil(
      [&] { return process.log().find("one line of at least 16") != std::string::npos; }));
  EXPECT_EQ(shown("/metrics", "Authorization: Bearer 0123456789abcdef\r\n"), 200);
  std::ofstream(process.folder() + "/token") << "fedcba9876543210";
  process.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil(
      [&] { return shown("/metrics", "Authorization: Bearer fedcba9876543210\r\n") == 200; }));
  EXPECT_EQ(shown("/metrics", "Authorization: Bearer 0123456789abcdef\r\n"), 401);
}

TEST_F(Http, TlsWhereItHasACertificate) {
  const int http = FreePort();
  const TempFolder keys("keys");
  MakeCertificate(keys.path(), "http", "127.0.0.1");
  PgweirOptions options = Options(http);
  options.databases += fmt::format(
      "http_certificate = \"{0}/http.crt\"\nhttp_key = \"{0}/http.key\"\n", keys.path());
  PgweirProcess process(options);
  const auto fetch = [&](std::string_view path, const std::string& authority) {
    const ChildOptions python{
        .argv = {"/usr/bin/python3", "-c",
                 "import ssl, sys, urllib.request\n"
                 "context = ssl.create_default_context(cafile=sys.argv[2])\n"
                 "print(urllib.request.urlopen(sys.argv[1], context=context).read().decode())",
                 fmt::format("https://127.0.0.1:{}{}", http, path), authority}};
    return RunCommand(python, std::chrono::seconds(20));
  };
  const std::string ours = keys.path() + "/http.crt";
  EXPECT_THAT(fetch("/health", ours).output, HasSubstr("\"status\":\"ok\""));
  EXPECT_THAT(fetch("/metrics", ours).output, HasSubstr("pgweir_build_info"));
  EXPECT_THAT(fetch("/", ours).output, HasSubstr("<title>pgweir</title>"));
  // What is no TLS is left, and harms nobody.
  RawClient plain(http);
  plain.Send("GET /health HTTP/1.1\r\n\r\n");
  EXPECT_THAT(fetch("/health", ours).output, HasSubstr("\"status\":\"ok\""));

  // The next certificate is served from the reload on.
  MakeCertificate(keys.path(), "http", "127.0.0.1");
  process.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([&] { return fetch("/health", ours).status == 0; }));
}

TEST_F(Http, FilesThatAreNoneAreSaid) {
  PgweirOptions options = Options(FreePort());
  options.databases += "http_token_file = \"token\"\n";
  options.files = {{"token", "too short"}};
  options.wait_ready = false;
  PgweirProcess process(options);
  EXPECT_EQ(process.WaitExit(), 1);
  EXPECT_THAT(process.log(), HasSubstr("must be one line of at least 16 characters"));
  EXPECT_THAT(process.log(), testing::Not(HasSubstr("too short\n")));
}

}  // namespace
}  // namespace pgweir::test
