// Plans of slow statements: which are asked for, that nothing comes of it but a line of the log.

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/proxy/slow_log_lines.h"
#include "tests/support/child_process.h"
#include "tests/support/four_shards.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPlanLine = "\"message\":\"plan of digest ";

// The newest plan with `part` in it, once it is there.
std::string PlanWith(const PgweirProcess& process, std::string_view part) {
  return LineWith(process, kPlanLine, "slow.json", part);
}

int PlansIn(const PgweirProcess& process) {
  int plans = 0;
  for (const std::string& line : Lines(process)) plans += line.find(kPlanLine) != line.npos;
  return plans;
}

bool Asked(const PgweirProcess& process, std::string_view outcome) {
  return process.WaitLog(fmt::format("outcome={}", outcome));
}

class Plans : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    server().Query("create table if not exists planned (n int, t text)");
  }

  static PgweirOptions Options(std::string_view more = "", std::string pool = "size = 5") {
    return {.pool = std::move(pool),
            .databases = DatabaseToml("*", server().port()) +
                         fmt::format("[slow_log]\npath = \"@/slow.json\"\nthreshold = \"0ms\"\n"
                                     "plans = true\n{}\n",
                                     more)};
  }
  static std::string Get(const std::string& line, std::string_view path) {
    return ValueAt(server(), line, path);
  }
  static std::string Filter(const std::string& line) {
    return Get(line, "pgweir,plan,0,Plan,Filter");
  }
};

TEST_F(Plans, AreLinesOfTheirOwn) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("select n from planned where t = 'simple' -- to its end");
  const std::string plan = PlanWith(process, "simple");
  const std::string statement = LineWith(process, "statement: select n from planned");
  EXPECT_EQ(Get(plan, "pgweir,plan,0,Plan,Node Type"), "Seq Scan");
  EXPECT_EQ(Filter(plan), "(t = 'simple'::text)");
  EXPECT_EQ(Get(plan, "message"), "plan of digest " + Get(statement, "pgweir,digest"));
  for (const char* same : {"user", "dbname", "pid", "pgweir,digest", "pgweir,shards"}) {
    EXPECT_EQ(Get(plan, same), Get(statement, same)) << same;
  }
}

TEST_F(Plans, HaveTheParametersOfTheStatement) {
  for (const char* mode : {"transaction", "session"}) {
    PgweirProcess process(Options("", fmt::format("mode = \"{}\"\nsize = 5", mode)));
    Connection client(process.Conninfo());
    client.ExecParams("select n from planned where t = $1 and n = $2", {"it's", "7"});
    EXPECT_EQ(Filter(PlanWith(process, "it''s")), "((t = 'it''s'::text) AND (n = 7))") << mode;

    const Oid types[] = {23};
    ASSERT_TRUE(
        Result(PQprepare(client.get(), "named", "select t from planned where n > $1", 1, types))
            .ok());
    const char binary[] = {0, 0, 1, 0};
    const char* const values[] = {binary};
    const int length[] = {4}, format[] = {1};
    ASSERT_TRUE(Result(PQexecPrepared(client.get(), "named", 1, values, length, format, 1)).ok());
    EXPECT_EQ(Filter(PlanWith(process, "(n > ")), "(n > 256)") << mode;
  }
}

// Whose number is that of the statement's columns.
TEST_F(Plans, NeedNoFormatsOfTheAnswer) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Parse("", "select n, t, n + 1 from planned where t = $1 or n = $2") +
              fe::BindFormats("", "", {0, 0}, {"formats", std::nullopt}, {1, 0, 1}) +
              fe::Execute("") + fe::Sync());
  client.ReadUntilReady();
  EXPECT_THAT(Filter(PlanWith(process, "formats")), HasSubstr("t = 'formats'::text"));
}

TEST_F(Plans, AreAskedForOnceAnIntervalForEachDigest) {
  PgweirProcess process(Options("plan_interval = \"2s\""));
  Connection client(process.Conninfo());
  const auto begun = std::chrono::steady_clock::now();
  client.Exec("select n from planned where n = 1");
  PlanWith(process, "(n = 1)");
  client.Exec("select n from planned where n = 2");
  client.Exec("select t from planned where n = 3");
  PlanWith(process, "(n = 3)");
  if (std::chrono::steady_clock::now() - begun < seconds(2)) {
    EXPECT_EQ(PlansIn(process), 2);
  }
  std::this_thread::sleep_until(begun + milliseconds(2500));
  client.Exec("select n from planned where n = 4");
  PlanWith(process, "(n = 4)");
  for (const std::string& line : Lines(process)) {
    if (line.find(kPlanLine) != line.npos) EXPECT_THAT(line, Not(HasSubstr("(n = 2)")));
  }
}

TEST_F(Plans, CarryNothingOut) {
  server().Query(
      "create sequence counted;"
      "create function note() returns int volatile language plpgsql as"
      " 'begin insert into planned values (1, ''noted''); return nextval(''counted''); end'");
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  for (const char* sql : {"select note()", "insert into planned values (note(), 'written')",
                          "with w as (delete from planned where t = 'none' returning n)"
                          " select nextval('counted') from w right join planned on false limit 1",
                          "update planned set n = note() where t = 'written'",
                          "delete from planned where t = 'written'", "values (note())"}) {
    const int before = PlansIn(process);
    ASSERT_TRUE(client.Exec(sql).ok()) << sql;
    EXPECT_TRUE(WaitUntil([&] { return PlansIn(process) > before; })) << sql;
  }
  EXPECT_EQ(server().Query("select last_value from counted"), "5");
  EXPECT_EQ(server().Query("select count(*) from planned where t = 'noted'"), "4");
  EXPECT_EQ(server().Query("select count(*) from planned where t = 'written'"), "0");
}

// What the planner calls to estimate with.
TEST_F(Plans, LetNoFunctionWrite) {
  server().Query(
      "create sequence estimated;"
      "create function lies() returns int stable language plpgsql as"
      " 'begin perform nextval(''estimated''); return 1; end'");
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  ASSERT_TRUE(client.Exec("select n from planned where n = lies()").ok());
  EXPECT_TRUE(Asked(process, "failed error=\"cannot execute nextval() in a read-only transaction"));
}

TEST_F(Plans, AreNotForUtilitiesCopiesOrSeveralStatements) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  for (const char* sql :
       {"show work_mem", "analyze planned", "explain select 1", "select 1; select 2",
        "create table unplanned as select 1", "prepare p as select 3", "execute p",
        "do $$ begin end $$", "select broken from nowhere", "select 1 / 0"}) {
    client.Exec(sql);
  }
  client.Exec("select 'last'");
  PlanWith(process, "Result");
  EXPECT_EQ(PlansIn(process), 1);
}

TEST_F(Plans, AreOfWhatTookTooLongNotOfSamples) {
  PgweirProcess process(
      Options("sample = 1\n[[slow_log.rules]]\nuser = \"postgres\"\n"
              "threshold = \"300ms\""));
  Connection client(process.Conninfo());
  client.Exec("select 'fast' from planned");
  LineWith(process, "'fast'");
  client.Exec("set statement_timeout = '400ms'");
  EXPECT_EQ(client.Exec("select pg_sleep(5), 'slow'").sqlstate(), "57014");
  PlanWith(process, "Result");
  EXPECT_EQ(PlansIn(process), 1);
}

TEST_F(Plans, WaitForNoBackendThatClientsMayNeed) {
  PgweirProcess process(Options("", "size = 1"));
  Connection client(process.Conninfo());
  client.Exec("select n from planned where n = 1");
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begun < seconds(2)) {
    const auto asked = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.Exec("begin; select n from planned where n = 2; commit").ok());
    EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(1));
  }
  EXPECT_TRUE(Asked(process, "no_backend"));
  EXPECT_EQ(PlansIn(process), 0);
  // That was not yet its turn.
  PgweirOptions roomy = Options("", "size = 2");
  process.Rewrite(roomy);
  ASSERT_TRUE(process.Reload());
  EXPECT_TRUE(WaitUntil([&] {
    client.Exec("select n from planned where n = 3");
    return PlansIn(process) > 0;
  }));
}

TEST_F(Plans, ThatAServerRefusesHarmNobody) {
  PgweirProcess process(Options("[[slow_log.rules]]\nuser = \"postgres\"\nthreshold = \"300ms\""));
  Connection client(process.Conninfo());
  ASSERT_TRUE(client.Exec("create temporary table mine (n int)").ok());
  ASSERT_TRUE(client.Exec("select pg_sleep(0.4), (select count(*) from mine)").ok());
  ASSERT_TRUE(Asked(process, "failed error=\"relation \"mine\" does not exist"));
  // The plan's backend is one of the two that are idle now.
  Connection other(process.Conninfo()), third(process.Conninfo());
  EXPECT_TRUE(other.Exec("begin").ok());
  EXPECT_TRUE(third.Exec("begin").ok());
  EXPECT_EQ(third.Value("show lock_timeout"), "0");
  const std::string log = process.log();
  size_t opened = 0;
  for (size_t at = 0; (at = log.find("new connection to server", at)) != log.npos; ++at) ++opened;
  EXPECT_EQ(opened, 3U);
  EXPECT_EQ(other.Value("show transaction_read_only"), "off");
  EXPECT_EQ(other.Value("show lock_timeout"), "0");
}

TEST_F(Plans, DoNotWaitForLocks) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("begin");
  client.Exec("lock table planned in access exclusive mode");
  ASSERT_TRUE(client.Exec("select n from planned where t = 'locked'").ok());
  EXPECT_TRUE(Asked(process, "failed error=\"canceling statement due to lock timeout"));
  EXPECT_TRUE(client.Exec("commit").ok());
}

TEST_F(Plans, AreMadeWithTheSettingsAndRoleOfTheClient) {
  server().Query(
      "create role plan_reader; create schema plans; grant usage on schema plans to plan_reader;"
      "create table plans.owned (owner name); grant select on plans.owned to plan_reader;"
      "alter table plans.owned enable row level security;"
      "create policy own on plans.owned using (owner = 'me')");
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("set search_path = plans");
  client.Exec("set role plan_reader");
  ASSERT_TRUE(client.Exec("select owner from owned").ok());
  EXPECT_EQ(Filter(PlanWith(process, "owned")), "(owner = 'me'::name)");
  Connection other(process.Conninfo());
  EXPECT_EQ(other.Value("select current_user"), "postgres");
}

TEST_F(Plans, AreNotWrittenWhereValuesAreHidden) {
  for (const char* redact : {"parameters", "literals"}) {
    PgweirProcess process(Options(fmt::format("redact = \"{}\"", redact)));
    Connection client(process.Conninfo());
    client.Exec("select n from planned where t = 'hush'");
    LineWith(process, "planned");
    std::this_thread::sleep_for(milliseconds(300));
    EXPECT_THAT(process.log(), Not(HasSubstr("plan asked for"))) << redact;
  }
  server().Query("create view guarded as select n from planned where t = 'password'");
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("select n from planned where t = 'my_password'");
  client.Exec("select n from guarded");
  EXPECT_TRUE(Asked(process, "left_out"));
  EXPECT_EQ(PlansIn(process), 0);
}

TEST_F(Plans, AreLeftOutWhenTheyAreLong) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  ASSERT_TRUE(
      client.Exec("select n from planned where t = '" + std::string(40'000, 'x') + "'").ok());
  EXPECT_TRUE(Asked(process, "left_out"));
}

TEST_F(Plans, BeginWithAReload) {
  const PgweirOptions on = Options();
  PgweirOptions off = on;
  off.databases.replace(off.databases.find("plans = true"), 12, "plans = false");
  PgweirProcess process(off);
  Connection client(process.Conninfo());
  client.Exec("select n from planned where n = 1");
  LineWith(process, "where n = 1");
  process.Rewrite(on);
  ASSERT_TRUE(process.Reload());
  client.Exec("select n from planned where n = 2");
  PlanWith(process, "(n = 2)");
  EXPECT_EQ(PlansIn(process), 1);
}

TEST_F(Plans, AreInTheReport) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("select n from planned where t = 'reported'");
  PlanWith(process, "reported");
  const std::string page = process.folder() + "/report.html";
  const CommandResult report = RunCommand(
      {.argv = {PgweirBinary(), "report", process.folder() + "/slow.json", "--html", page}});
  EXPECT_EQ(report.status, 0) << report.output;
  EXPECT_THAT(report.output, HasSubstr("lines: 1 statements, 1 plans, 0 not pgweir's, 0 broken"));
  std::stringstream html;
  html << std::ifstream(page).rdbuf();
  EXPECT_THAT(html.str(), HasSubstr(R"(\"Filter\":\"(t = 'reported'::text)\")"));
}

class PlansOfShards : public FourShards {};

TEST_F(PlansOfShards, AreOfTheFirstNode) {
  const auto process =
      StartPgweir("[slow_log]\npath = \"@/slow.json\"\nthreshold = \"0ms\"\nplans = true");
  Connection client(process->Conninfo("postgres", "market"));
  for (const char* sql : {"select price from trades where symbol = 'ETHUSDT'",
                          "select id from trades", "delete from trades where symbol = 'BTCUSDT'"}) {
    ASSERT_TRUE(client.Exec(sql).ok()) << sql;
    const std::string statement = LineWith(*process, fmt::format("statement: {}\"", sql));
    const std::string digest = ValueAt(server(), statement, "pgweir,digest");
    const std::string plan = LineWith(*process, "\"plan of digest " + digest);
    EXPECT_EQ(ValueAt(server(), plan, "pgweir,shards,0"),
              ValueAt(server(), statement, "pgweir,shards,0"));
    EXPECT_EQ(ValueAt(server(), plan, "pgweir,shards,1"), "");
  }
}

}  // namespace
}  // namespace pgweir::test
