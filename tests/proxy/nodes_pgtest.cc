// A node of a primary and a replica: what its clients notice when one of them goes.

#include <gmock/gmock.h>

#include <thread>

#include "fmt/format.h"
#include "tests/support/console_test.h"
#include "tests/support/gate.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Nodes : public testing::Test {
 protected:
  Nodes() : primary_(Replicated()) {
    primary_.Query("create table written (id int)");
    replica_ = std::make_unique<PostgresServer>(Replicated(&primary_));
  }
  void TearDown() override {
    if (HasFailure() && pgweir_ != nullptr) pgweir_->ShowLog();
  }

  static std::string Place(int port) { return fmt::format("host=127.0.0.1 port={}", port); }
  // `user`: of the connection strings; "" = the clients'.
  void Serve(const std::string& user = "user=postgres", const std::string& pool = "size = 3") {
    Serve(Place(primary_.port()) + " " + user, Place(replica_->port()), pool);
  }
  void Serve(const std::string& primary, const std::string& replica, const std::string& pool) {
    pgweir_ = std::make_unique<PgweirProcess>(PgweirOptions{
        .pool = pool,
        .databases = fmt::format("[databases.postgres]\nprimary = \"{}\"\nreplicas = [{}]\n",
                                 primary, replica.empty() ? "" : "\"" + replica + "\"")});
  }
  Connection Client() const { return Connection(pgweir_->Conninfo()); }

  // A column of SHOW NODES, of the server on this port.
  std::string Shown(int port, const char* column) const {
    const Connection console(pgweir_->Conninfo("postgres", "pgweir"));
    const Result result = console.Exec("show nodes");
    for (int row = 0; row < result.rows(); ++row) {
      if (result.Value(row, 3) == std::to_string(port)) {
        return result.Value(row, PQfnumber(result.get(), column));
      }
    }
    return "no such row";
  }
  bool Shows(int port, const char* column, const std::string& value,
             milliseconds within = seconds(5)) const {
    const auto until = steady_clock::now() + within;
    while (Shown(port, column) != value) {
      if (steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
  }
  bool BothUp() const {
    return Shows(primary_.port(), "state", "up") && Shows(replica_->port(), "state", "up") &&
           Shows(replica_->port(), "lag_ms", "0");
  }

  PostgresServer primary_;
  std::unique_ptr<PostgresServer> replica_;
  std::unique_ptr<PgweirProcess> pgweir_;
};

TEST_F(Nodes, ConsoleShowsServersWithTheirState) {
  Serve();
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("set pgweir.role = 'primary'").ok());
  ASSERT_TRUE(BothUp());
  ASSERT_TRUE(Shows(replica_->port(), "lag_bytes", "0"));
  const Connection console(pgweir_->Conninfo("postgres", "pgweir"));
  const Result nodes = console.Exec("show nodes");
  ASSERT_EQ(nodes.rows(), 2);
  const auto row = [&](int i) {
    std::string text;
    for (int column = 0; column < PQnfields(nodes.get()); ++column) {
      text += nodes.Value(i, column) + "|";
    }
    return text;
  };
  EXPECT_EQ(row(0), fmt::format("postgres|primary|127.0.0.1|{}|up|0|0|1||", primary_.port()));
  EXPECT_EQ(row(1), fmt::format("postgres|replica|127.0.0.1|{}|up|0|0|0||", replica_->port()));

  replica_->Stop(StopMode::kImmediate);
  EXPECT_TRUE(Shows(replica_->port(), "state", "down", seconds(2)));
  EXPECT_THAT(Shown(replica_->port(), "error"), testing::HasSubstr("refused"));
  EXPECT_EQ(Shown(replica_->port(), "lag_ms"), "");
  EXPECT_EQ(client.Value("select 1"), "1");
  replica_->Start();
  EXPECT_TRUE(BothUp());
}

TEST_F(Nodes, ServersAreAskedByAClientsLoginWhereTheStringNamesNone) {
  Serve("");
  EXPECT_EQ(Shown(replica_->port(), "state"), "up");
  EXPECT_EQ(Shown(replica_->port(), "lag_ms"), "");
  const Connection client = Client();
  EXPECT_TRUE(BothUp());
}

// In the queue of its pool; it is carried out once, by the new primary.
TEST_F(Nodes, WriteWaitsForThePromotion) {
  for (const char* user : {"user=postgres", ""}) {
    PostgresServer old(Replicated());
    old.Query("create table written (id int)");
    PostgresServer next(Replicated(&old));
    Serve(Place(old.port()) + " " + user, Place(next.port()), "size = 2");
    const Connection client = Client(), idle = Client();
    ASSERT_EQ(idle.Value("select 1"), "1");
    ASSERT_TRUE(Shows(next.port(), "lag_ms", "0"));
    old.Stop(StopMode::kImmediate);
    client.Send("insert into written values (1)");
    EXPECT_FALSE(client.Ready(700));
    next.Query("select pg_promote()");
    EXPECT_TRUE(client.Ready(2'000));
    EXPECT_EQ(client.Next()->tag(), "INSERT 0 1");
    EXPECT_EQ(next.Query("select count(*) from written"), "1");
    EXPECT_TRUE(idle.Exec("insert into written values (2)").ok());
    EXPECT_EQ(Shown(next.port(), "role"), "primary");
    EXPECT_EQ(Shown(old.port(), "state"), "down");
    // An old primary that comes back is not written to.
    old.Start();
    EXPECT_TRUE(Shows(old.port(), "state", "stale"));
    EXPECT_TRUE(pgweir_->WaitLog("SPLIT BRAIN"));
    EXPECT_TRUE(idle.Exec("insert into written values (3)").ok());
    EXPECT_EQ(next.Query("select count(*) from written"), "3");
  }
}

// Its host has vanished without a word: what hangs there holds up nobody else.
TEST_F(Nodes, SilentPrimaryIsLeftBehind) {
  Gate gate(primary_.port());
  Serve(Place(gate.port()) + " sslmode=disable user=postgres", Place(replica_->port()), "size = 1");
  const Connection stuck = Client(), client = Client();
  ASSERT_TRUE(stuck.Exec("begin").ok());
  ASSERT_TRUE(Shows(replica_->port(), "lag_ms", "0"));
  gate.Freeze(true);
  stuck.Send("insert into written values (1)");
  client.Send("insert into written values (2)");
  EXPECT_TRUE(Shows(gate.port(), "state", "down", seconds(3)));
  EXPECT_FALSE(client.Ready(10));
  replica_->Query("select pg_promote()");
  EXPECT_TRUE(client.Ready(2'500));
  EXPECT_EQ(client.Next()->tag(), "INSERT 0 1");
  gate.CutAll();
  EXPECT_TRUE(stuck.Ready(2'000));
  EXPECT_EQ(stuck.Next()->sqlstate(), "08006");
}

TEST_F(Nodes, WriteWaitsThroughASwitchover) {
  Serve();
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("insert into written values (1)").ok());
  ASSERT_TRUE(BothUp());
  primary_.Stop();
  primary_.BecomeReplicaOf(*replica_);
  ASSERT_TRUE(Shows(primary_.port(), "role", "replica"));
  client.Send("insert into written values (2)");
  EXPECT_FALSE(client.Ready(500));
  replica_->Query("select pg_promote()");
  EXPECT_TRUE(client.Ready(2'000));
  EXPECT_EQ(client.Next()->tag(), "INSERT 0 1");
  EXPECT_EQ(replica_->Query("select count(*) from written"), "2");
}

TEST_F(Nodes, NodeWithoutAPrimaryIsNamedOnceTheWaitIsOver) {
  Serve("user=postgres", "wait_timeout = \"500ms\"");
  const Connection client = Client();
  ASSERT_TRUE(BothUp());
  primary_.Stop();
  primary_.BecomeReplicaOf(*replica_);
  ASSERT_TRUE(Shows(primary_.port(), "role", "replica"));
  const Result refused = client.Exec("insert into written values (1)");
  EXPECT_EQ(refused.sqlstate(), "57P03");
  EXPECT_THAT(refused.message(), testing::HasSubstr("has no primary"));
  // Who waited for nothing else is still there.
  replica_->Query("select pg_promote()");
  ASSERT_TRUE(Shows(replica_->port(), "role", "primary"));
  EXPECT_TRUE(client.Exec("insert into written values (1)").ok());
}

// 25006 tells of it before the next look does.
TEST_F(Nodes, RefusedWriteMakesServersBeAskedAtOnce) {
  Serve("user=postgres", "health_check_interval = \"1h\"");
  const Connection client = Client();
  ASSERT_TRUE(BothUp());
  ASSERT_TRUE(client.Exec("begin read only").ok());
  // The last look that logins have caused is over.
  std::this_thread::sleep_for(milliseconds(500));
  replica_->Query("select pg_promote()");
  EXPECT_FALSE(Shows(replica_->port(), "role", "primary", milliseconds(500)));
  EXPECT_EQ(client.Exec("insert into written values (1)").sqlstate(), "25006");
  EXPECT_TRUE(Shows(replica_->port(), "role", "primary", seconds(1)));
}

TEST_F(Nodes, PrimaryIsFoundAmongTheHostsOfAString) {
  Serve(fmt::format("host=127.0.0.1,127.0.0.1 port={},{} user=postgres", replica_->port(),
                    primary_.port()),
        "", "size = 3");
  ASSERT_TRUE(Shows(primary_.port(), "role", "primary"));
  const Connection client = Client();
  EXPECT_TRUE(client.Exec("insert into written values (1)").ok());
  EXPECT_TRUE(Shows(replica_->port(), "role", "replica"));
}

TEST_F(Nodes, CommitInDoubtIsCounted) {
  Gate gate(primary_.port());
  Serve(Place(gate.port()) + " sslmode=disable user=postgres", Place(replica_->port()), "size = 2");
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("insert into written values (1)").ok());
  gate.Freeze(true);
  client.Send("commit");
  EXPECT_FALSE(client.Ready(300));
  gate.CutAll();
  ASSERT_TRUE(client.Ready(2'000));
  EXPECT_EQ(client.Next()->sqlstate(), "08007");
  const Connection console(pgweir_->Conninfo("postgres", "pgweir"));
  const Result counts = console.Exec("show session_state");
  ASSERT_EQ(counts.rows(), 1);
  EXPECT_EQ(counts.Value(0, 0), "doubt");
  EXPECT_EQ(counts.Value(0, 2), "1");
}

TEST_F(Nodes, ReloadMayAddAReplica) {
  Serve(Place(primary_.port()) + " user=postgres", "", "size = 3");
  const Connection client = Client();
  const std::string pid = client.Value("select pg_backend_pid()");
  EXPECT_EQ(Shown(replica_->port(), "state"), "no such row");
  EXPECT_TRUE(Shows(primary_.port(), "state", "up"));
  PgweirOptions options;
  options.pool = "size = 3";
  options.databases =
      fmt::format("[databases.postgres]\nprimary = \"{} user=postgres\"\nreplicas = [\"{}\"]\n",
                  Place(primary_.port()), Place(replica_->port()));
  pgweir_->Rewrite(options);
  ASSERT_TRUE(pgweir_->Reload());
  EXPECT_TRUE(BothUp());
  EXPECT_TRUE(client.Exec("insert into written values (1)").ok());
}

TEST_F(Nodes, BadStringOfAReplicaIsRefusedAtTheStart) {
  const PgweirProcess process(PgweirOptions{
      .databases = fmt::format("[databases.postgres]\nprimary = \"{}\"\nreplicas = [\"host\"]\n",
                               Place(primary_.port())),
      .wait_ready = false});
  EXPECT_TRUE(process.WaitLog("databases.postgres: bad connection string"));
}

}  // namespace
}  // namespace pgweir::test
