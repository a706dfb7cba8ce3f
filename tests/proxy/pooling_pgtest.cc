// Few backends for many clients: who gets one, for how long, and how many there are.

#include <set>
#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Pooling : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    // The backends of a test before.
    ASSERT_TRUE(server().WaitBackends(0, seconds(10)));
  }

  static PgweirOptions Options(const std::string& pool) {
    return {.pool = pool, .databases = DatabaseToml("*", server().port())};
  }

  static std::string Pid(const Connection& connection) {
    return connection.Value("select pg_backend_pid()");
  }
};

TEST_F(Pooling, ThirtyClientsShareThreeBackends) {
  PgweirProcess process(Options("size = 3"));
  std::vector<Connection> clients;
  for (int i = 0; i < 30; ++i) clients.emplace_back(process.Conninfo());
  std::set<std::string> pids;
  for (int round = 0; round < 10; ++round) {
    for (Connection& client : clients) client.Send("select pg_backend_pid() from pg_sleep(0.002)");
    for (Connection& client : clients) {
      ASSERT_TRUE(client.Ready(20'000));
      std::optional<Result> result = client.Next();
      ASSERT_TRUE(result && result->ok()) << client.error();
      pids.insert(result->Value());
      EXPECT_FALSE(client.Next());
    }
    EXPECT_LE(server().CountBackends(), 3);
  }
  EXPECT_LE(pids.size(), 3u);
  EXPECT_GE(pids.size(), 2u);
}

TEST_F(Pooling, TransactionKeepsItsBackend) {
  PgweirProcess process(Options("size = 2"));
  Connection holder(process.Conninfo());
  Connection other(process.Conninfo());
  holder.Exec("begin");
  std::string pid = Pid(holder);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Pid(holder), pid);
    EXPECT_NE(Pid(other), pid);
  }
  EXPECT_TRUE(holder.Exec("commit").ok());
}

// Rule 37: a failed transaction is still one.
TEST_F(Pooling, FailedTransactionKeepsItsBackend) {
  PgweirProcess process(Options("size = 2"));
  Connection holder(process.Conninfo());
  Connection other(process.Conninfo());
  holder.Exec("begin");
  std::string pid = Pid(holder);
  holder.Exec("select 1/0");
  for (int i = 0; i < 5; ++i) EXPECT_NE(Pid(other), pid);
  EXPECT_EQ(holder.Exec("select 1").sqlstate(), "25P02");
  EXPECT_TRUE(holder.Exec("rollback").ok());
}

TEST_F(Pooling, SessionKeepsItsBackendAndTheNextGetsACleanOne) {
  PgweirProcess process(Options("mode = \"session\"\nsize = 1"));
  std::string pid;
  {
    Connection first(process.Conninfo());
    pid = Pid(first);
    first.Exec("set work_mem = '9MB'; create temp table left_over (n int); listen somebody");
    first.Exec("prepare left_statement as select 1; select pg_advisory_lock(7)");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Pid(first), pid);
    EXPECT_EQ(first.Value("show work_mem"), "9MB");
  }
  Connection second(process.Conninfo());
  EXPECT_EQ(Pid(second), pid);
  EXPECT_EQ(second.Value("show work_mem"), "4MB");
  EXPECT_EQ(second.Exec("select * from left_over").sqlstate(), "42P01");
  EXPECT_EQ(second.Exec("execute left_statement").sqlstate(), "26000");
  EXPECT_EQ(second.Value("select count(*) from pg_listening_channels()"), "0");
  EXPECT_EQ(second.Value("select count(*) from pg_locks where locktype = 'advisory'"), "0");
}

TEST_F(Pooling, SessionWaitsForAnotherToEnd) {
  PgweirProcess process(Options("mode = \"session\"\nsize = 1"));
  Connection first(process.Conninfo());
  Pid(first);
  Connection second(process.Conninfo());
  second.Send("select 1");
  EXPECT_FALSE(second.Ready(300));
  first.Close();
  EXPECT_TRUE(second.Ready(5000));
}

// Rule 77
TEST_F(Pooling, StatementModeRefusesTransactionBlocks) {
  PgweirProcess process(Options("mode = \"statement\"\nsize = 1"));
  server().Query("drop table if exists statement_mode; create table statement_mode (n int)");
  Connection client(process.Conninfo());
  EXPECT_TRUE(client.Exec("insert into statement_mode values (1)").ok());
  Connection block(process.Conninfo());
  Result refused = block.Exec("begin; insert into statement_mode values (2)");
  EXPECT_EQ(refused.status(), PGRES_FATAL_ERROR);
  EXPECT_NE(block.error().find("transaction block"), std::string::npos) << block.error();
  EXPECT_EQ(client.Value("select count(*) from statement_mode"), "1");
}

TEST_F(Pooling, WaitingClientsAreServedInOrder) {
  PgweirProcess process(Options("size = 1"));
  server().Query("drop sequence if exists turns; create sequence turns");
  Connection holder(process.Conninfo());
  holder.Exec("begin");
  std::vector<Connection> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.emplace_back(process.Conninfo());
    waiting.back().Send("select nextval('turns')");
    EXPECT_FALSE(waiting.back().Ready(30));
  }
  EXPECT_TRUE(holder.Exec("commit").ok());
  // Whoever comes again stands behind them.
  holder.Send("select nextval('turns')");
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(waiting[static_cast<size_t>(i)].Next()->Value(), std::to_string(i + 1));
  EXPECT_EQ(holder.Next()->Value(), "9");
}

TEST_F(Pooling, WaitEndsWithAnErrorAtItsTime) {
  PgweirProcess process(Options("size = 1\nwait_timeout = \"300ms\""));
  Connection holder(process.Conninfo());
  Connection waiting(process.Conninfo());
  holder.Exec("begin");
  auto start = steady_clock::now();
  Result result = waiting.Exec("select 1");
  auto waited = steady_clock::now() - start;
  EXPECT_EQ(result.sqlstate(), "53300") << waiting.error();
  EXPECT_GE(waited, milliseconds(290));
  EXPECT_LT(waited, seconds(3));
  EXPECT_TRUE(holder.Exec("commit").ok());
  Connection later(process.Conninfo());
  EXPECT_EQ(later.Value("select 1"), "1");
}

TEST_F(Pooling, ClientsBeyondTheLimitAreTold) {
  PgweirOptions options = Options("size = 1");
  options.listen = "max_clients = 3";
  PgweirProcess process(options);
  std::vector<Connection> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(process.Conninfo());
    ASSERT_TRUE(clients.back().ok()) << clients.back().error();
  }
  Connection refused(process.Conninfo());
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.refusal(), "53300") << refused.error();
  clients.pop_back();
  auto deadline = steady_clock::now() + seconds(3);
  while (!Connection(process.Conninfo()).ok()) ASSERT_LT(steady_clock::now(), deadline);
}

TEST_F(Pooling, MinimumIsKeptOpen) {
  PgweirProcess process(Options("size = 5\nmin_size = 3"));
  Connection client(process.Conninfo());
  client.Value("select 1");
  EXPECT_TRUE(server().WaitBackends(3, seconds(5)));
  server().Query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> "
      "pg_backend_pid() and backend_type = 'client backend'");
  client.Value("select 1");
  EXPECT_TRUE(server().WaitBackends(3, seconds(10)));
}

// Opens this many backends by as many transactions at once.
std::vector<Connection> Burst(const PgweirProcess& process, int count) {
  std::vector<Connection> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(process.Conninfo());
    EXPECT_TRUE(clients.back().Exec("begin").ok()) << clients.back().error();
  }
  return clients;
}

TEST_F(Pooling, IdleBackendsAreClosed) {
  PgweirProcess process(Options("size = 5\nidle_timeout = \"500ms\""));
  std::vector<Connection> clients = Burst(process, 5);
  EXPECT_EQ(server().CountBackends(), 5);
  for (Connection& client : clients) client.Exec("commit");
  EXPECT_TRUE(server().WaitBackends(0, seconds(10)));
  EXPECT_EQ(clients.front().Value("select 1"), "1");
}

TEST_F(Pooling, OldBackendIsReplacedWhenFree) {
  PgweirProcess process(Options("size = 1\nrecycle = \"500ms\""));
  Connection client(process.Conninfo());
  client.Exec("begin");
  std::string pid = Pid(client);
  std::this_thread::sleep_for(seconds(2));
  EXPECT_EQ(Pid(client), pid);
  client.Exec("commit");
  auto deadline = steady_clock::now() + seconds(5);
  while (Pid(client) == pid) {
    ASSERT_LT(steady_clock::now(), deadline);
    std::this_thread::sleep_for(milliseconds(50));
  }
}

TEST_F(Pooling, OverflowServesAPeakAndGoes) {
  PgweirProcess process(Options("size = 1\noverflow = 2"));
  std::vector<Connection> clients = Burst(process, 3);
  EXPECT_EQ(server().CountBackends(), 3);
  Connection fourth(process.Conninfo());
  fourth.Send("select 1");
  EXPECT_FALSE(fourth.Ready(200));
  for (Connection& client : clients) client.Exec("commit");
  EXPECT_TRUE(fourth.Ready(5000));
  EXPECT_TRUE(server().WaitBackends(1, seconds(10)));
}

TEST_F(Pooling, DatabasesAndUsersHaveTheirOwn) {
  server().Query("drop role if exists other");
  server().Query("create role other login");
  PgweirOptions options = Options("size = 1");
  options.users += "\"other\" \"o\"\n";
  PgweirProcess process(options);
  Connection one(process.Conninfo());
  Connection two(process.Conninfo("other"));
  Connection three(process.Conninfo("postgres", "template1"));
  for (const Connection* client : {&one, &two, &three}) EXPECT_TRUE(client->Exec("begin").ok());
  EXPECT_EQ(std::set<std::string>({Pid(one), Pid(two), Pid(three)}).size(), 3u);
  EXPECT_EQ(two.Value("select current_user"), "other");
  EXPECT_EQ(three.Value("select current_database()"), "template1");
}

TEST_F(Pooling, DatabaseAndUserTablesOverrideThePool) {
  server().Query("drop role if exists narrow");
  server().Query("create role narrow login");
  PgweirOptions options{
      .pool = "size = 1\nwait_timeout = \"300ms\"",
      .databases = DatabaseToml("postgres", server().port(), "", "pool = { size = 2 }") +
                   "[users.narrow.pool]\nsize = 1\nmode = \"session\"\n",
      .users = "\"postgres\" \"p\"\n\"narrow\" \"n\"\n"};
  PgweirProcess process(options);
  std::vector<Connection> two = Burst(process, 2);
  Connection third(process.Conninfo());
  EXPECT_EQ(third.Exec("select 1").sqlstate(), "53300");

  Connection session(process.Conninfo("narrow"));
  EXPECT_EQ(session.Value("select 1"), "1");
  Connection excluded(process.Conninfo("narrow"));
  EXPECT_EQ(excluded.Exec("select 1").sqlstate(), "53300");
}

}  // namespace
}  // namespace pgweir::test
