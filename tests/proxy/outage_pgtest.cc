// Whole servers that go, come back, or were never there.

#include <cstring>

#include "fmt/format.h"
#include "tests/support/gate.h"
#include "tests/support/proxy_test.h"
#include "tests/support/refusing_server.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Outage : public ProxyTest {
 protected:
  static PgweirOptions Options(int port, const std::string& pool = "size = 3") {
    return {.pool = pool, .databases = DatabaseToml("*", port, "sslmode=disable")};
  }
};

TEST_F(Outage, IdleClientsOutliveARestart) {
  PostgresServer own;
  PgweirProcess process(Options(own.port()));
  std::vector<Connection> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(process.Conninfo());
  for (StopMode mode : {StopMode::kFast, StopMode::kImmediate}) {
    for (Connection& client : clients) ASSERT_EQ(client.Value("select 1"), "1");
    own.Stop(mode);
    own.Start();
    for (Connection& client : clients) {
      Result result = client.Exec("select 1");
      EXPECT_TRUE(result.ok()) << result.message();
    }
  }
}

TEST_F(Outage, ClientsWaitForAServerThatComesBack) {
  PostgresServer own;
  PgweirProcess process(Options(own.port()));
  Connection client(process.Conninfo());
  client.Value("select 1");
  own.Stop(StopMode::kFast);
  client.Send("select 'back'");
  EXPECT_FALSE(client.Ready(500));
  own.Start();
  ASSERT_TRUE(client.Ready(10'000));
  EXPECT_EQ(client.Next()->Value(), "back");
}

// A server that stops in the middle of a write: at the statement, at its answer, at the COMMIT.
TEST_F(Outage, StopDuringAWriteLosesAndDoublesNothing) {
  PostgresServer own;
  own.Query("create table written (id int)");
  Gate gate(own.port());
  PgweirProcess process(Options(gate.port(), "wait_timeout = \"500ms\""));
  int id = 0;
  for (StopMode mode : {StopMode::kFast, StopMode::kImmediate}) {
    for (int at = 1; at <= 3; ++at) {
      for (bool after : {false, true}) {
        ++id;
        Connection client(process.Conninfo());
        ASSERT_EQ(client.Value("select 1"), "1");
        gate.Arm({.type = 'Q', .count = at, .after = after, .cut = Cut::kNone, .also = [&] {
                    own.Stop(mode);
                  }});
        bool written = client.Exec("begin").ok() &&
                       client.Exec(fmt::format("insert into written values ({})", id)).ok();
        Result commit = client.Exec("commit");
        bool confirmed = written && commit.ok() && commit.tag() == "COMMIT";
        EXPECT_TRUE(gate.WaitFired());
        if (!own.running()) own.Start();
        int count =
            std::stoi(own.Query(fmt::format("select count(*) from written where id = {}", id)));
        EXPECT_LE(count, 1) << at << after;
        if (confirmed) EXPECT_EQ(count, 1) << at << after;
        if (!written) EXPECT_EQ(count, 0) << at << after;
      }
    }
  }
}

// kill -9 makes the server throw out everybody and recover.
TEST_F(Outage, KilledBackendCostsTheTransactionsThatRan) {
  PostgresServer own({.settings = {"restart_after_crash = on"}});
  own.Query("create table written (id int)");
  PgweirProcess process(Options(own.port()));
  Connection idle(process.Conninfo());
  Connection victim(process.Conninfo());
  Connection neighbour(process.Conninfo());
  idle.Value("select 1");
  victim.Exec("begin; insert into written values (1)");
  neighbour.Exec("begin; insert into written values (2)");
  pid_t pid = std::stoi(victim.Value("select pg_backend_pid()"));
  victim.Send("select pg_sleep(30)");
  EXPECT_FALSE(victim.Ready(100));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(victim.Ready(5000));
  EXPECT_EQ(victim.Next()->sqlstate(), "08006");
  // Its COMMIT may just get through before the server throws it out, with an answer or without.
  Result commit = neighbour.Exec("commit");
  // The server may throw this one out too, but only a while later.
  bool recovered = false;
  for (int i = 0; i < 100 && !recovered; ++i) {
    std::this_thread::sleep_for(milliseconds(100));
    recovered = Connection(process.Conninfo()).Exec("select 1").ok();
  }
  ASSERT_TRUE(recovered);
  EXPECT_EQ(idle.Value("select 'alive'"), "alive");
  EXPECT_EQ(idle.Value("select count(*) from written where id = 1"), "0");
  std::string committed = idle.Value("select count(*) from written where id = 2");
  if (commit.ok()) EXPECT_EQ(committed, "1");
  if (!commit.ok() && committed == "1") EXPECT_EQ(commit.sqlstate(), "08007");
}

TEST_F(Outage, AbsentServerIsNamedOnceTheWaitIsOver) {
  PgweirProcess process(Options(FreePort(), "wait_timeout = \"1s\""));
  auto start = steady_clock::now();
  Connection client(process.Conninfo());
  auto waited = steady_clock::now() - start;
  EXPECT_FALSE(client.ok());
  EXPECT_EQ(client.refusal(), "08001") << client.error();
  EXPECT_NE(client.error().find("refused"), std::string::npos) << client.error();
  EXPECT_GE(waited, milliseconds(900));
  EXPECT_LT(waited, seconds(5));
}

TEST_F(Outage, LoginWaitsForAServerThatStartsLate) {
  PostgresServer own;
  own.Stop();
  PgweirProcess process(Options(own.port()));
  RawClient client(process.port());
  client.Send(fe::Startup({{"user", "postgres"}}));
  EXPECT_TRUE(client.Silent(300));
  own.Start();
  EXPECT_EQ(client.ReadUntilReady().back().type, 'Z');
}

// Rule 67
TEST_F(Outage, FullServerIsAskedAgainWithinTheWait) {
  PostgresServer own({.max_connections = 8, .settings = {"superuser_reserved_connections = 3"}});
  own.Query("create role plain login");
  std::vector<Connection> crowd;
  for (int i = 0; i < 5; ++i) crowd.emplace_back(own.SocketConninfo("plain"));

  PgweirOptions options = Options(own.port(), "wait_timeout = \"1s\"");
  options.users += "\"plain\" \"p\"\n";
  {
    PgweirProcess impatient(options);
    Connection refused(impatient.Conninfo("plain"));
    EXPECT_EQ(refused.refusal(), "53300") << refused.error();
    EXPECT_NE(refused.error().find("remaining connection slots"), std::string::npos);
  }

  options.pool = "wait_timeout = \"9s\"";
  PgweirProcess process(options);
  RawClient waiting(process.port());
  waiting.Send(fe::Startup({{"user", "plain"}, {"database", "postgres"}}));
  EXPECT_TRUE(waiting.Silent(300));
  crowd.clear();
  EXPECT_EQ(waiting.ReadUntilReady().back().type, 'Z');
}

// Rule 67, and the back-off from 100 ms: a handful of attempts in a second and a half, not
// hundreds.
TEST_F(Outage, StartingServerIsAskedAgainWithBackOff) {
  std::string body;
  for (const char* field : {"SFATAL", "VFATAL", "C57P03", "Mthe database system is starting up"}) {
    body += std::string(field) + '\0';
  }
  RefusingServer starting(fe::Typed('E', body + '\0'));
  PgweirProcess process(Options(starting.port(), "wait_timeout = \"1500ms\""));
  Connection client(process.Conninfo());
  EXPECT_EQ(client.refusal(), "57P03") << client.error();
  EXPECT_NE(client.error().find("the database system is starting up"), std::string::npos);
  EXPECT_GE(starting.asked(), 2);
  EXPECT_LE(starting.asked(), 30);
}

// Rule 19: a server's error may lack any field.
TEST_F(Outage, RefusalWithoutFieldsIsStillAnError) {
  for (const char* body : {"", "SFATAL"}) {
    RefusingServer bare(
        fe::Typed('E', std::string(body, strlen(body)) + std::string(*body == 0 ? 1 : 2, '\0')));
    PgweirProcess process(Options(bare.port(), "wait_timeout = \"500ms\""));
    Connection client(process.Conninfo());
    EXPECT_FALSE(client.ok());
    EXPECT_TRUE(process.Running());
  }
}

// The host that is down delays nobody who goes to another.
TEST_F(Outage, OneServersAbsenceDelaysNoOther) {
  PgweirOptions options = Options(server().port());
  options.databases += DatabaseToml("gone", FreePort());
  PgweirProcess process(options);
  std::vector<RawClient> stuck;
  for (int i = 0; i < 20; ++i) {
    stuck.emplace_back(process.port());
    stuck.back().Send(fe::Startup({{"user", "postgres"}, {"database", "gone"}}));
  }
  auto start = steady_clock::now();
  EXPECT_EQ(Connection(process.Conninfo()).Value("select 1"), "1");
  EXPECT_LT(steady_clock::now() - start, seconds(1));
}

// A server that accepts and then says nothing is given up after its time.
TEST_F(Outage, SilentServerIsGivenUp) {
  Gate gate(server().port());
  gate.Freeze(true);
  PgweirProcess process(
      Options(gate.port(), "wait_timeout = \"4s\"\nserver_connect_timeout = \"500ms\""));
  RawClient client(process.port());
  client.Send(fe::Startup({{"user", "postgres"}, {"database", "postgres"}}));
  EXPECT_TRUE(client.Silent(1200));
  EXPECT_GE(gate.links_seen(), 2);
  gate.CutAll();
  gate.Freeze(false);
  EXPECT_EQ(client.ReadUntilReady().back().type, 'Z');
}

}  // namespace
}  // namespace pgweir::test
