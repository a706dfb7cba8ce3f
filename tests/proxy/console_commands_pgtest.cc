// The console's commands that act.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "tests/support/console_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConsoleCommands : public ConsoleTest {
 protected:
  void SetUp() override {
    ConsoleTest::SetUp();
    process_ = std::make_unique<PgweirProcess>(ConsoleOptions());
    console_.emplace(process_->Conninfo("postgres", "pgweir"));
    ASSERT_TRUE(console_->ok()) << console_->error();
  }
  void TearDown() override {
    console_.reset();
    process_.reset();
    ConsoleTest::TearDown();
  }

  Connection Client() const { return Connection(process_->Conninfo()); }
  void Succeeds(std::string_view command) const {
    const Result result = console_->Exec(command);
    EXPECT_TRUE(result.ok()) << command << ": " << result.message();
  }
  void Fails(std::string_view command, std::string_view message,
             std::string_view sqlstate = "08P01") const {
    const Result result = console_->Exec(command);
    EXPECT_EQ(result.sqlstate(), sqlstate) << command;
    EXPECT_THAT(result.message(), testing::HasSubstr(std::string(message))) << command;
  }
  std::string Paused() const { return Cell(*console_, "databases", "name", "postgres", "paused"); }

  std::unique_ptr<PgweirProcess> process_;
  std::optional<Connection> console_;
};

constexpr std::string_view kOfPools = "application_name <> 'pgweir catalog'";

TEST_F(ConsoleCommands, PauseWaitsForTransactionsAndHoldsClients) {
  const Connection busy = Client(), idle = Client();
  ASSERT_TRUE(busy.Exec("begin").ok());
  ASSERT_EQ(idle.Value("select 1"), "1");
  console_->Send("pause");
  EXPECT_FALSE(console_->Ready(200));  // a transaction is open
  idle.Send("select 2");
  EXPECT_FALSE(idle.Ready(100));  // waits
  ASSERT_TRUE(busy.Exec("commit").ok());
  ASSERT_TRUE(console_->Ready(5000));
  EXPECT_EQ(console_->Next()->tag(), "PAUSE");
  EXPECT_FALSE(console_->Next().has_value());
  EXPECT_TRUE(server().WaitBackends(0, seconds(5), kOfPools));
  EXPECT_FALSE(idle.Ready(100));
  const Connection watcher = Console(*process_);
  EXPECT_EQ(Cell(watcher, "pools", "database", "postgres", "cl_waiting"), "1");
  EXPECT_EQ(Cell(watcher, "state", "key", "paused", "value"), "yes");
  Fails("pause", "already suspended/paused");
  Fails("suspend", "already suspended/paused");
  Succeeds("resume");
  ASSERT_TRUE(idle.Ready(5000));
  EXPECT_EQ(idle.Next()->Value(), "2");
  Fails("resume", "not paused");
}

TEST_F(ConsoleCommands, PauseOfOneDatabaseLeavesOthersAlone) {
  PgweirOptions options = ConsoleOptions();
  options.databases += DatabaseToml("template1", server().port());
  const PgweirProcess process(options);
  const Connection console = Console(process);
  const Connection paused(process.Conninfo()), other(process.Conninfo("postgres", "template1"));
  ASSERT_EQ(paused.Value("select 1"), "1");
  ASSERT_TRUE(console.Exec("pause postgres").ok());
  EXPECT_EQ(Cell(console, "databases", "name", "postgres", "paused"), "1");
  EXPECT_EQ(Cell(console, "databases", "name", "template1", "paused"), "0");
  EXPECT_EQ(Cell(console, "state", "key", "paused", "value"), "no");
  EXPECT_EQ(other.Value("select 1"), "1");
  paused.Send("select 1");
  EXPECT_FALSE(paused.Ready(100));
  // Neither does a login of another user get a backend.
  EXPECT_EQ(console.Exec("resume template1").sqlstate(), "08P01");
  EXPECT_EQ(console.Exec("suspend").sqlstate(), "08P01");
  ASSERT_TRUE(console.Exec("resume postgres").ok());
  ASSERT_TRUE(paused.Ready(5000));
}

// Else it would look resumed and not be.
TEST_F(ConsoleCommands, PauseOfAllIsNotResumedByName) {
  Succeeds("pause");
  Fails("resume postgres", "RESUME without one ends PAUSE");
  Succeeds("resume");
  EXPECT_EQ(Client().Value("select 1"), "1");
}

TEST_F(ConsoleCommands, CancelTakesPauseBack) {
  const Connection busy = Client();
  ASSERT_TRUE(busy.Exec("begin").ok());
  console_->Send("pause");
  ASSERT_FALSE(console_->Ready(100));
  EXPECT_EQ(console_->Cancel(), "");
  ASSERT_TRUE(console_->Ready(5000));
  EXPECT_EQ(console_->Next()->sqlstate(), "57014");
  EXPECT_FALSE(console_->Next().has_value());
  EXPECT_EQ(Paused(), "0");
  EXPECT_TRUE(busy.Exec("commit").ok());
  EXPECT_EQ(Client().Value("select 1"), "1");
}

TEST_F(ConsoleCommands, SignalsPauseAndResume) {
  const Connection client = Client();
  ASSERT_EQ(client.Value("select 1"), "1");
  process_->Signal(SIGUSR1);
  ASSERT_TRUE(WaitCell(*console_, "state", "key", "paused", "value", "yes"));
  EXPECT_TRUE(server().WaitBackends(0, seconds(5), kOfPools));
  client.Send("select 1");
  EXPECT_FALSE(client.Ready(100));
  process_->Signal(SIGUSR2);
  EXPECT_TRUE(client.Ready(5000));
}

TEST_F(ConsoleCommands, DisableRefusesLoginsUntilEnable) {
  const Connection before = Client();
  Succeeds("disable postgres");
  EXPECT_EQ(Cell(*console_, "databases", "name", "postgres", "disabled"), "1");
  EXPECT_EQ(Client().refusal(), "55000");
  EXPECT_EQ(before.Value("select 1"), "1");
  Succeeds("enable postgres");
  EXPECT_EQ(Client().Value("select 1"), "1");
  Fails("disable", "a database is required");
}

TEST_F(ConsoleCommands, UnknownDatabasesAreNamed) {
  for (const char* command :
       {"pause", "resume", "kill", "disable", "enable", "reconnect", "wait_close"}) {
    Fails(fmt::format("{} nowhere", command), "no such database: nowhere");
    Fails(fmt::format("{} pgbouncer", command), "not for the console");
  }
}

TEST_F(ConsoleCommands, KillDropsClientsAndServersAndPauses) {
  const Connection idle = Client(), busy = Client();
  ASSERT_EQ(idle.Value("select 1"), "1");
  busy.Send("select pg_sleep(60)");
  // A cancel request for what has not begun yet would mean nothing to the server.
  ASSERT_TRUE(server().WaitBackends(1, seconds(5), "wait_event = 'PgSleep'"));
  Succeeds("kill postgres");
  ASSERT_TRUE(busy.Ready(5000));
  EXPECT_EQ(busy.Next()->sqlstate(), "57P01");
  EXPECT_FALSE(idle.Exec("select 1").ok());
  EXPECT_TRUE(server().WaitBackends(0, seconds(5), kOfPools));  // what ran is cancelled
  EXPECT_EQ(Paused(), "1");
  Succeeds("resume postgres");
  EXPECT_EQ(Client().Value("select 1"), "1");
  // Of all databases, but not of the console.
  const Connection again = Client();
  Succeeds("kill");
  EXPECT_FALSE(again.Exec("select 1").ok());
  Succeeds("resume");
}

TEST_F(ConsoleCommands, KillClientEndsThatOneAlone) {
  const Connection one(process_->Conninfo() + " application_name=one");
  const Connection two(process_->Conninfo() + " application_name=two");
  ASSERT_TRUE(one.Exec("begin").ok());
  const std::string id = Cell(*console_, "clients", "application_name", "one", "id");
  Succeeds("kill_client " + id);
  EXPECT_EQ(one.Exec("select 1").sqlstate(), "57P01");
  EXPECT_EQ(two.Value("select 1"), "1");
  Fails("kill_client " + id, "client not found");
  Fails("kill_client abc", "invalid client pointer supplied");
}

TEST_F(ConsoleCommands, KillClientEndsOneThatWaitsAndOneThatLogsIn) {
  PgweirOptions options = ConsoleOptions("", "size = 1");
  const PgweirProcess process(options);
  const Connection console = Console(process);
  const Connection holder(process.Conninfo());
  ASSERT_TRUE(holder.Exec("begin").ok());
  const Connection waiting(process.Conninfo());
  waiting.Send("select 1");
  ASSERT_TRUE(WaitCell(console, "pools", "database", "postgres", "cl_waiting", "1"));
  const std::string id = Cell(console, "clients", "state", "waiting", "id");
  ASSERT_TRUE(console.Exec("kill_client " + id).ok());
  ASSERT_TRUE(waiting.Ready(5000));
  EXPECT_EQ(waiting.Next()->sqlstate(), "57P01");
  EXPECT_TRUE(holder.Exec("commit").ok());
}

TEST_F(ConsoleCommands, ReconnectReplacesServersAsTheyBecomeFree) {
  const Connection client = Client();
  const std::string before = client.Value("select pg_backend_pid()");
  Succeeds("reconnect postgres");
  const std::string after = client.Value("select pg_backend_pid()");
  EXPECT_NE(before, after);
  ASSERT_TRUE(client.Exec("begin").ok());
  Succeeds("reconnect");
  EXPECT_EQ(Cell(*console_, "servers", "remote_pid", after, "close_needed"), "1");
  console_->Send("wait_close");
  EXPECT_FALSE(console_->Ready(100));
  EXPECT_EQ(client.Value("select pg_backend_pid()"), after);
  ASSERT_TRUE(client.Exec("commit").ok());
  ASSERT_TRUE(console_->Ready(5000));
  EXPECT_EQ(console_->Next()->tag(), "WAIT_CLOSE");
  EXPECT_NE(client.Value("select pg_backend_pid()"), after);
}

TEST_F(ConsoleCommands, ReloadReadsTheFileOrSaysWhyNot) {
  PgweirOptions options = ConsoleOptions("", "size = 3");
  process_->Rewrite(options);
  Succeeds("reload");
  EXPECT_EQ(Cell(*console_, "config", "key", "default_pool_size", "value"), "3");
  options.pool = "size = \"many\"";
  process_->Rewrite(options);
  Fails("reload", "pool.size: must be", "F0000");
  EXPECT_EQ(Cell(*console_, "config", "key", "default_pool_size", "value"), "3");
}

TEST_F(ConsoleCommands, SetChangesWhatAReloadCouldUntilTheNextReload) {
  const std::string was = Cell(*console_, "config", "key", "default_pool_size", "value");
  Succeeds("set default_pool_size = 2");
  EXPECT_EQ(Cell(*console_, "config", "key", "default_pool_size", "value"), "2");
  EXPECT_EQ(Cell(*console_, "databases", "name", "postgres", "pool_size"), "2");
  Succeeds("set query_timeout = '0.2'");
  EXPECT_EQ(Client().Exec("select pg_sleep(5)").sqlstate(), "57014");
  Succeeds("set query_wait_timeout to 250ms");
  EXPECT_EQ(Cell(*console_, "config", "key", "query_wait_timeout", "value"), "0.25");
  Succeeds("set pool_mode = session");
  EXPECT_EQ(Cell(*console_, "config", "key", "pool_mode", "value"), "session");
  Fails("set listen_port = 1", "can't be set here");
  Fails("set nonsense = 1", "unknown configuration key: nonsense");
  Fails("set default_pool_size = many", "invalid value for default_pool_size: 'many'");
  Fails("set min_pool_size = 100", "must not exceed");
  Succeeds("reload");
  EXPECT_EQ(Cell(*console_, "config", "key", "default_pool_size", "value"), was);
}

TEST_F(ConsoleCommands, SetLeavesWhatADatabaseSaysItself) {
  PgweirOptions options = ConsoleOptions();
  options.databases += "[databases.postgres.pool]\nsize = 4\n";
  const PgweirProcess process(options);
  const Connection console = Console(process);
  ASSERT_TRUE(console.Exec("set default_pool_size = 2").ok());
  EXPECT_EQ(Cell(console, "databases", "name", "postgres", "pool_size"), "4");
}

TEST_F(ConsoleCommands, SuspendLetsAnswersThroughAndReadsNoClientUntilResume) {
  const Connection working = Client(), idle = Client();
  working.Send("select pg_sleep(0.3)");
  ASSERT_TRUE(WaitCell(*console_, "pools", "database", "postgres", "sv_active", "1"));
  EXPECT_EQ(console_->Exec("suspend").tag(), "SUSPEND");
  EXPECT_FALSE(working.Ready(0));
  ASSERT_TRUE(working.Ready(5000));
  EXPECT_TRUE(working.Next()->ok());
  EXPECT_EQ(Cell(*console_, "state", "key", "suspended", "value"), "yes");
  idle.Send("select 1");
  EXPECT_FALSE(idle.Ready(100));
  Succeeds("resume");
  ASSERT_TRUE(idle.Ready(5000));
  EXPECT_EQ(idle.Next()->Value(), "1");
}

TEST_F(ConsoleCommands, SuspendEndsWithTheConsoleThatAskedForIt) {
  const Connection client = Client();
  Succeeds("suspend");
  client.Send("select 1");
  EXPECT_FALSE(client.Ready(100));
  console_->Close();
  ASSERT_TRUE(client.Ready(5000));
  EXPECT_EQ(client.Next()->Value(), "1");
}

TEST_F(ConsoleCommands, SuspendDoesNotEndWithAConsoleThatOnceAskedForOne) {
  {
    const Connection earlier(process_->Conninfo("postgres", "pgweir"));
    ASSERT_TRUE(earlier.Exec("suspend").ok());
    Succeeds("resume");
    Succeeds("suspend");
  }
  const Connection client = Client();  // a login is not held up
  client.Send("select 1");
  EXPECT_FALSE(client.Ready(300));
  Succeeds("resume");
  EXPECT_TRUE(client.Ready(5000));
}

// Memory for statements is bounded, though a stats user may look only.
TEST_F(ConsoleCommands, PreparedStatementsAreBounded) {
  RawClient client = RawClient::Login(process_->port(), "postgres", "pgweir");
  std::string batch;
  for (int i = 0; i < 1001; ++i) batch += fe::Parse(std::to_string(i), "show version");
  client.Send(batch + fe::Sync());
  const auto answers = client.ReadUntilReady();
  EXPECT_EQ(Types(answers).substr(999), "1EZ");
}

TEST_F(ConsoleCommands, ShutdownWaitsForClientsButNotForConsoles) {
  std::optional<Connection> client(Client());
  Succeeds("shutdown wait_for_clients");
  EXPECT_EQ(client->Value("select 1"), "1");
  Succeeds("show clients");
  Fails("resume", "shutting down");
  client.reset();
  EXPECT_EQ(process_->WaitExit(seconds(5)), 0);
}

TEST_F(ConsoleCommands, ShutdownWaitsForServers) {
  const Connection busy = Client(), idle = Client();
  ASSERT_TRUE(busy.Exec("begin").ok());
  Succeeds("shutdown wait_for_servers");
  EXPECT_EQ(busy.Value("select 1"), "1");
  EXPECT_FALSE(idle.Exec("select 1").ok());
  EXPECT_FALSE(process_->WaitExit(milliseconds(200)).has_value());
  EXPECT_TRUE(busy.Exec("commit").ok());
  EXPECT_EQ(process_->WaitExit(seconds(5)), 0);
}

TEST_F(ConsoleCommands, ShutdownEndsAtOnce) {
  const Connection busy = Client();
  ASSERT_TRUE(busy.Exec("begin").ok());
  Succeeds("shutdown");
  EXPECT_EQ(process_->WaitExit(seconds(5)), 0);
  EXPECT_EQ(busy.Exec("select 1").sqlstate(), "57P01");
}

TEST_F(ConsoleCommands, ShutdownRefusesAnotherWord) {
  Fails("shutdown tomorrow", "invalid command");
}

}  // namespace
}  // namespace pgweir::test
