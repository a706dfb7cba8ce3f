// deploy/prometheus and deploy/grafana, with a real Prometheus that scrapes a real pgweir: what
// rules and panels ask for is there, and an alert comes when it should.

#include <gmock/gmock.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/socket.h>

#include <map>
#include <regex>
#include <set>

#include "fmt/format.h"
#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"
#include "tests/support/raw_client.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using simdjson::dom::element;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Texts = std::map<std::string, std::string>;

std::string Source(std::string_view path) {
  return fmt::format("{}/{}", PGWEIR_SOURCE_FOLDER, path);
}

std::string Text(element value) { return std::string(std::string_view(value)); }

Texts TextsOf(element object) {
  Texts texts;
  for (const auto field : simdjson::dom::object(object)) {
    texts[std::string(field.key)] = Text(field.value);
  }
  return texts;
}

std::string Replaced(const std::string& text, const std::string& pattern, const std::string& by) {
  std::string result = std::regex_replace(text, std::regex(pattern), by);
  EXPECT_NE(result, text) << "has no " << pattern;
  return result;
}

// The body. By HTTP/1.0, so that it ends where the connection does.
std::string Get(int port, std::string_view target) {
  RawClient client(port);
  client.Send(fmt::format("GET {} HTTP/1.0\r\nHost: test\r\n\r\n", target));
  std::string answer;
  pollfd readable{.fd = client.fd(), .events = POLLIN, .revents = 0};
  while (::poll(&readable, 1, 10'000) == 1) {
    char buffer[16'384];
    const ssize_t size = ::recv(client.fd(), buffer, sizeof(buffer), 0);
    if (size <= 0) break;
    answer.append(buffer, static_cast<size_t>(size));
  }
  const size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error(fmt::format("no answer to {}", target));
  return answer.substr(end + 4);
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return escaped;
}

struct Sample {
  Texts labels;
  std::string value;
};

struct Alert {
  std::string state;
  Texts labels, annotations;
};

struct Rule {
  std::string name, expression, health, error;
  bool alerts = false;
  Texts labels, annotations;
  std::vector<Alert> active = {};
};

// Debian's, on a loopback port, with the sample configuration and the rules of deploy/prometheus;
// but everything that takes minutes there takes a second here.
class Prometheus {
 public:
  explicit Prometheus(int pgweir_http) : folder_("prometheus"), port_(FreePort()) {
    std::string config = ReadFile(Source("deploy/prometheus/prometheus.yml"));
    config = Replaced(config, "127.0.0.1:9632\", \"127.0.0.1:9642",
                      fmt::format("127.0.0.1:{}", pgweir_http));
    config = Replaced(config, "127.0.0.1:9093", fmt::format("127.0.0.1:{}", FreePort()));
    config = Replaced(config, "interval: 15s", "interval: 500ms");
    WriteFile(folder_.File("prometheus.yml"), config);
    WriteFile(folder_.File("pgweir.rules.yml"),
              Replaced(ReadFile(Source("deploy/prometheus/pgweir.rules.yml")), "for: [0-9]+[ms]",
                       "for: 1s"));
    process_ =
        ChildProcess({.argv = {"prometheus", "--config.file=" + folder_.File("prometheus.yml"),
                               "--storage.tsdb.path=" + folder_.File("data"),
                               fmt::format("--web.listen-address=127.0.0.1:{}", port_)},
                      .output = folder_.File("log")});
    const bool ready = WaitUntil(
        [&] {
          try {
            return Get(port_, "/-/ready").find("is Ready") != std::string::npos;
          } catch (const std::exception&) {
            return false;
          }
        },
        std::chrono::seconds(20));
    if (!ready) throw std::runtime_error("Prometheus isn't ready:\n" + log());
  }

  std::string log() const { return ReadFile(folder_.File("log")); }

  // Throws what Prometheus has against the expression.
  std::vector<Sample> Query(std::string_view expression) const {
    simdjson::dom::parser parser;
    std::vector<Sample> samples;
    for (const element sample : Ask(parser, "query?query=" + Escaped(expression))["result"]) {
      samples.push_back({TextsOf(sample["metric"]), Text(sample["value"].at(1))});
    }
    return samples;
  }
  // Within the time in which a rate is known. An expression that makes no sense is a test failure.
  bool HasData(std::string_view expression) const {
    try {
      return WaitUntil([&] { return !Query(expression).empty(); });
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      return false;
    }
  }
  // Of the series that the selector chooses.
  bool HasLabel(std::string_view selector, std::string_view label) const {
    simdjson::dom::parser parser;
    const std::string path = fmt::format("label/{}/values?match[]={}", label, Escaped(selector));
    return simdjson::dom::array(Ask(parser, path)).size() > 0;
  }

  std::vector<Rule> Rules() const {
    simdjson::dom::parser parser;
    std::vector<Rule> rules;
    for (const element group : Ask(parser, "rules")["groups"]) {
      for (const element rule : group["rules"]) {
        Rule& read = rules.emplace_back(
            Rule{.name = Text(rule["name"]),
                 .expression = Text(rule["query"]),
                 .health = Text(rule["health"]),
                 .error = rule["lastError"].error() ? "" : Text(rule["lastError"]),
                 .alerts = Text(rule["type"]) == "alerting",
                 .labels = {},
                 .annotations = {}});
        if (!read.alerts) continue;
        read.labels = TextsOf(rule["labels"]);
        read.annotations = TextsOf(rule["annotations"]);
        for (const element alert : rule["alerts"]) {
          read.active.push_back(
              {Text(alert["state"]), TextsOf(alert["labels"]), TextsOf(alert["annotations"])});
        }
      }
    }
    return rules;
  }
  // Those of the rule that fire.
  std::vector<Alert> Firing(std::string_view name) const {
    std::vector<Alert> firing;
    for (const Rule& rule : Rules()) {
      for (const Alert& alert : rule.active) {
        if (rule.name == name && alert.state == "firing") firing.push_back(alert);
      }
    }
    return firing;
  }

 private:
  element Ask(simdjson::dom::parser& parser, std::string_view path) const {
    const element answer = parser.parse(Get(port_, fmt::format("/api/v1/{}", path)));
    if (Text(answer["status"]) != "success") throw std::runtime_error(Text(answer["error"]));
    return answer["data"];
  }

  TempFolder folder_;
  int port_;
  ChildProcess process_;
};

// "app" with a replica and the cache, and "market" on two nodes.
class Monitoring : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    primary_ = std::make_unique<PostgresServer>(Replicated());
    primary_->Query("create table t (n int); insert into t values (1)");
    for (const char* node : {"one", "two"}) {
      primary_->Query(fmt::format("create database {}", node));
      primary_->Query("create table trades (symbol text, price int)", node);
    }
    replica_ = std::make_unique<PostgresServer>(Replicated(primary_.get()));
    http_ = FreePort();
    pgweir_ = std::make_unique<PgweirProcess>(Options());
    prometheus_ = std::make_unique<Prometheus>(http_);
  }
  static void TearDownTestSuite() {
    prometheus_.reset();
    pgweir_.reset();
    replica_.reset();
    primary_.reset();
  }

  void SetUp() override {
    if (!replica_->running()) replica_->Start();
    // Everything has had its first scrape.
    ASSERT_TRUE(prometheus_->HasData("pgweir_server_lag_seconds{role=\"replica\"}"));
    Work();
  }
  void TearDown() override {
    EXPECT_TRUE(pgweir_->Running());
    if (HasFailure()) fmt::print(stderr, "--- log of Prometheus ---\n{}\n", prometheus_->log());
  }

  static PgweirOptions Options() {
    PgweirOptions options;
    options.databases = fmt::format(
        "[databases.app]\nprimary = \"host=127.0.0.1 port={0} dbname=postgres user=postgres\"\n"
        "replicas = [\"host=127.0.0.1 port={1}\"]\n"
        "[databases.market]\nshard_map = \"shards.toml\"\n"
        "[databases.market.nodes.one]\nprimary = \"host=127.0.0.1 port={0} dbname=one\"\n"
        "[databases.market.nodes.two]\nprimary = \"host=127.0.0.1 port={0} dbname=two\"\n"
        "[cache]\nenabled = true\n[[cache.rules]]\npattern = \"from t\"\nttl = \"60s\"\n"
        "[slow_log]\npath = \"@/slow.json\"\nthreshold = \"0ms\"\n"
        "[admin]\nhttp = \"127.0.0.1:{2}\"\n",
        primary_->port(), replica_->port(), http_);
    options.files = {
        {"shards.toml",
         "[shards]\n\"BTC*\" = \"one\"\n\"*\" = \"two\"\n[tables]\ntrades = \"symbol\"\n"}};
    return options;
  }
  // A little of everything: requests, of which one fails, reads that repeat, both shards.
  static void Work() {
    const Connection app(pgweir_->Conninfo("postgres", "app"));
    const Connection market(pgweir_->Conninfo("postgres", "market"));
    for (int i = 0; i < kRequests; ++i) EXPECT_TRUE(app.Exec("select n from t").ok());
    app.Exec("select 1 / 0");
    for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) {
      EXPECT_TRUE(market.Exec(fmt::format("insert into trades values ('{}', 1)", symbol)).ok());
    }
  }

  static constexpr int kRequests = 20;
  static std::unique_ptr<PostgresServer> primary_, replica_;
  static std::unique_ptr<PgweirProcess> pgweir_;
  static std::unique_ptr<Prometheus> prometheus_;
  static int http_;
};

std::unique_ptr<PostgresServer> Monitoring::primary_, Monitoring::replica_;
std::unique_ptr<PgweirProcess> Monitoring::pgweir_;
std::unique_ptr<Prometheus> Monitoring::prometheus_;
int Monitoring::http_ = 0;

// --- promtool ---

CommandResult Promtool(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), "promtool");
  return RunCommand({.argv = std::move(arguments), .input = input});
}

TEST(Promtool, AcceptsTheRules) {
  const std::string folder = Source("deploy/prometheus/");
  const std::vector<std::string> commands[] = {
      {"check", "rules", "--lint=all", "--lint-fatal", folder + "pgweir.rules.yml"},
      {"check", "config", folder + "prometheus.yml"},
      {"test", "rules", folder + "pgweir.rules.test.yml"}};
  for (const std::vector<std::string>& command : commands) {
    const CommandResult result = Promtool(command);
    EXPECT_EQ(result.status, 0) << command[1] << ":\n" << result.output;
    EXPECT_THAT(result.output, HasSubstr("SUCCESS"));
  }
}

TEST_F(Monitoring, PromtoolAcceptsTheMetrics) {
  TempFolder folder("metrics");
  WriteFile(folder.File("metrics"), Get(http_, "/metrics"));
  const CommandResult result = Promtool({"check", "metrics"}, folder.File("metrics"));
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "");
}

// --- Prometheus ---

TEST_F(Monitoring, APrometheusCountsWhatClientsDo) {
  const std::string queries = "pgweir_queries_total{job=\"pgweir\", database=\"app\"}";
  ASSERT_TRUE(prometheus_->HasData(queries));
  const double before = std::stod(prometheus_->Query(queries).at(0).value);
  Work();
  EXPECT_TRUE(WaitUntil([&] {
    return std::stod(prometheus_->Query(queries).at(0).value) >= before + kRequests + 1;
  })) << prometheus_->Query(queries).at(0).value;
  EXPECT_TRUE(prometheus_->HasData(fmt::format("increase({}[1m]) > {}", queries, kRequests)));
  EXPECT_TRUE(prometheus_->HasData("pgweir_server_up{database=\"app\", role=\"primary\"} == 1"));
  EXPECT_TRUE(prometheus_->HasData("pgweir_server_up{database=\"app\", role=\"replica\"} == 1"));
  EXPECT_TRUE(prometheus_->HasData("pgweir_cache_hits_total > 0"));
  EXPECT_TRUE(prometheus_->HasData("pgweir_slow_log_lines_total{outcome=\"written\"} > 0"));
}

// Each selector is asked for alone: the alerts' own expressions give nothing while all is well.
TEST_F(Monitoring, EveryRuleFindsItsMetrics) {
  ASSERT_TRUE(WaitUntil([] {
    for (const Rule& rule : prometheus_->Rules()) {
      if (rule.health == "unknown") return false;
    }
    return true;
  }));
  const std::regex selector(R"re((\bup|([a-z_]+:)?pgweir_[a-z0-9_]+(:[a-z0-9_]+)?)(\{[^}]*\})?)re");
  std::set<std::string> asked;
  for (const Rule& rule : prometheus_->Rules()) {
    EXPECT_EQ(rule.health, "ok") << rule.name << ": " << rule.error;
    std::sregex_iterator it(rule.expression.begin(), rule.expression.end(), selector), end;
    EXPECT_NE(it, end) << rule.name << ": " << rule.expression;
    for (; it != end; ++it) {
      if (!asked.insert(it->str()).second) continue;
      EXPECT_TRUE(prometheus_->HasData(it->str())) << rule.name << " asks for " << it->str();
    }
  }
  EXPECT_GT(asked.size(), 30u);
}

TEST_F(Monitoring, EveryAlertIsTestedAndDescribed) {
  const std::string page = ReadFile(Source("docs/observability.md"));
  const std::string tests = ReadFile(Source("deploy/prometheus/pgweir.rules.test.yml"));
  const std::string console = ReadFile(Source("docs/console.md"));
  const std::regex command("SHOW [A-Z]+( RULES)?"), document("docs/[a-z-]+\\.md");
  size_t alerts = 0;
  for (const Rule& rule : prometheus_->Rules()) {
    if (!rule.alerts) continue;
    ++alerts;
    const std::string severity = rule.labels.at("severity");
    EXPECT_TRUE(severity == "critical" || severity == "warning" || severity == "info") << severity;
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` | {} |", rule.name, severity)));
    EXPECT_TRUE(std::regex_search(tests, std::regex(fmt::format(R"(\b{}\b)", rule.name))))
        << rule.name << " has no test";
    EXPECT_THAT(rule.annotations.at("summary"), Not(IsEmpty()));
    const std::string description = rule.annotations.at("description");
    for (std::sregex_iterator it(description.begin(), description.end(), command), end; it != end;
         ++it) {
      const std::string table = std::regex_replace(it->str(), std::regex(" RULES"), "_RULES");
      EXPECT_THAT(console, HasSubstr(table + "`")) << rule.name;
    }
    std::smatch match;
    ASSERT_TRUE(std::regex_search(description, match, document)) << rule.name << " names no page";
    EXPECT_THAT(ReadFile(Source(match.str())), Not(IsEmpty())) << match.str();
  }
  EXPECT_GT(alerts, 15u);
}

TEST_F(Monitoring, TheLossOfAReplicaRaisesItsAlert) {
  ASSERT_TRUE(WaitUntil([] { return prometheus_->Firing("PgweirServerDown").empty(); }));
  replica_->Stop(StopMode::kImmediate);
  ASSERT_TRUE(WaitUntil([] { return !prometheus_->Firing("PgweirServerDown").empty(); },
                        std::chrono::seconds(20)));
  const Alert alert = prometheus_->Firing("PgweirServerDown").at(0);
  EXPECT_EQ(alert.labels.at("severity"), "warning");
  EXPECT_EQ(alert.annotations.at("summary"),
            fmt::format("127.0.0.1:{} (replica of app) is not used", replica_->port()));
  EXPECT_THAT(prometheus_->Firing("PgweirNodeWithoutPrimary"), IsEmpty());
  replica_->Start();
  EXPECT_TRUE(WaitUntil([] { return prometheus_->Firing("PgweirServerDown").empty(); },
                        std::chrono::seconds(20)));
}

// --- Grafana ---

// Variables as Grafana puts them in when everything is chosen.
std::string Filled(std::string expression) {
  const std::pair<const char*, const char*> variables[] = {
      {"\\$__rate_interval", "1m"}, {"\\$instance", ".*"}, {"\\$database", ".*"}};
  for (const auto& [variable, value] : variables) {
    expression = std::regex_replace(expression, std::regex(variable), value);
  }
  EXPECT_THAT(expression, Not(HasSubstr("$")));
  return expression;
}

TEST_F(Monitoring, EveryPanelOfTheDashboardHasData) {
  simdjson::dom::parser parser;
  const element dashboard = parser.load(Source("deploy/grafana/pgweir.json"));
  size_t expressions = 0;
  std::set<int64_t> ids;
  for (const element panel : dashboard["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"]).second);
    if (Text(panel["type"]) == "row") continue;
    const std::string title = Text(panel["title"]);
    for (const element target : panel["targets"]) {
      ++expressions;
      EXPECT_EQ(Text(target["datasource"]["uid"]), "${datasource}") << title;
      const std::string expression = Filled(Text(target["expr"]));
      EXPECT_TRUE(prometheus_->HasData(expression)) << title << ": " << expression;
    }
  }
  EXPECT_GT(expressions, 40u);
}

TEST_F(Monitoring, TheDashboardsVariablesHaveValues) {
  simdjson::dom::parser parser;
  const element dashboard = parser.load(Source("deploy/grafana/pgweir.json"));
  const std::regex label_values(R"(label_values\((.+), ([a-z]+)\))");
  std::set<std::string> names;
  for (const element variable : dashboard["templating"]["list"]) {
    const std::string name = Text(variable["name"]);
    names.insert(name);
    if (Text(variable["type"]) == "datasource") continue;
    const std::string query = Text(variable["query"]["query"]);
    std::smatch match;
    ASSERT_TRUE(std::regex_match(query, match, label_values)) << query;
    const std::string selector = Filled(match[1]), label = match[2];
    EXPECT_TRUE(WaitUntil([&] { return prometheus_->HasLabel(selector, label); })) << query;
  }
  EXPECT_THAT(names, testing::ElementsAre("database", "datasource", "instance"));
}

}  // namespace
}  // namespace pgweir::test
