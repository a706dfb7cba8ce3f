// Caps that several pools share, and caps on clients.

#include <atomic>
#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Caps : public ProxyTest {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"alpha", "beta"}) {
      server().Query(fmt::format("create database {}", name));
    }
    server().Query("create role second superuser login");
  }
  void SetUp() override {
    ProxyTest::SetUp();
    // The backends of a test before.
    ASSERT_TRUE(server().WaitBackends(0, seconds(10)));
  }

  // Two databases of one node.
  static PgweirOptions Options(const std::string& pool, const std::string& more = "") {
    std::string databases;
    for (const char* name : {"alpha", "beta"}) {
      databases += fmt::format(
          "[databases.{0}.nodes.shared]\nprimary = \"host=127.0.0.1 port={1} dbname={0}\"\n", name,
          server().port());
    }
    return {.pool = pool,
            .databases = databases + more,
            .users = "\"postgres\" \"x\"\n\"second\" \"x\"\n"};
  }

  static std::string Alpha(const PgweirProcess& process, std::string_view user = "postgres") {
    return process.Conninfo(user, "alpha");
  }
  static std::string Beta(const PgweirProcess& process, std::string_view user = "postgres") {
    return process.Conninfo(user, "beta");
  }
};

// What reads a node's catalog has a connection of its own, outside the pools and their caps.
constexpr std::string_view kOfPools = "application_name <> 'pgweir catalog'";

// Counts the server's backends as fast as it can.
class Sampler {
 public:
  explicit Sampler(const PostgresServer& server)
      : connection_(server.SocketConninfo()), thread_([this] {
          while (!over_) {
            const int count = std::stoi(connection_.Value(
                fmt::format("select count(*) from pg_stat_activity where backend_type = 'client "
                            "backend' and pid <> pg_backend_pid() and {}",
                            kOfPools)));
            most_ = std::max(most_.load(), count);
          }
        }) {}
  ~Sampler() { Stop(); }
  int Stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return most_;
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<int> most_{0};
  Connection connection_;
  std::thread thread_;
};

TEST_F(Caps, AlternatingDatabasesUnderANodesCapAreAllServed) {
  PgweirProcess process(Options("max_node_connections = 3"));
  Sampler sampler(server());
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Connection client(t % 2 == 0 ? Alpha(process) : Beta(process));
      for (int i = 0; i < 60; ++i) {
        if (client.Exec("select pg_sleep(0.002)").ok()) ++served;
        // A pause every other while, so that idle backends have to make way, too.
        if (i % 10 == 9) std::this_thread::sleep_for(milliseconds(20 * (t % 3)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 8 * 60);
  const int most = sampler.Stop();
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

TEST_F(Caps, IdleBackendOfOneDatabaseMakesWayForAnother) {
  PgweirProcess process(Options("max_node_connections = 1"));
  Connection alpha(Alpha(process));
  EXPECT_EQ(alpha.Value("select current_database()"), "alpha");
  EXPECT_EQ(server().CountBackends(fmt::format("datname = 'alpha' and {}", kOfPools)), 1);
  Connection beta(Beta(process));
  EXPECT_EQ(beta.Value("select current_database()"), "beta");
  EXPECT_EQ(server().CountBackends(fmt::format("datname = 'alpha' and {}", kOfPools)), 0);
  EXPECT_TRUE(server().WaitBackends(1, seconds(5), kOfPools));
  EXPECT_EQ(alpha.Value("select current_database()"), "alpha");
}

TEST_F(Caps, BusyBackendIsWaitedForAndThenEnds) {
  PgweirProcess process(Options("max_node_connections = 1"));
  Connection alpha(Alpha(process));
  Connection beta(Beta(process));
  alpha.Exec("begin");
  beta.Send("select 'served'");
  EXPECT_FALSE(beta.Ready(300));
  EXPECT_TRUE(alpha.Exec("commit").ok());
  ASSERT_TRUE(beta.Ready(5000));
  EXPECT_EQ(beta.Next()->Value(), "served");
  EXPECT_EQ(server().CountBackends(fmt::format("datname = 'alpha' and {}", kOfPools)), 0);
}

TEST_F(Caps, WaitThatEndsNamesTheCapOfEachKind) {
  struct Case {
    const char* pool;
    const char* user;
    const char* database;
    const char* words;
  };
  for (const Case& c :
       {Case{"max_node_connections = 1", "postgres", "beta",
             "node \"shared\" has all 1 that pool.max_node_connections allows"},
        Case{"max_db_connections = 1", "second", "alpha",
             "database \"alpha\" has all 1 that pool.max_db_connections allows"},
        Case{"max_user_connections = 1", "postgres", "beta",
             "user \"postgres\" has all 1 that pool.max_user_connections allows"}}) {
    PgweirProcess process(Options(fmt::format("wait_timeout = \"300ms\"\n{}", c.pool)));
    Connection holder(Alpha(process));
    ASSERT_TRUE(holder.Exec("begin").ok()) << holder.error();
    // Its login needs a backend, too.
    Connection waiting(process.Conninfo(c.user, c.database));
    EXPECT_FALSE(waiting.ok());
    EXPECT_NE(waiting.error().find(c.words), std::string::npos) << waiting.error();
    EXPECT_EQ(holder.Exec("commit").ok(), true);
    EXPECT_TRUE(Connection(process.Conninfo(c.user, c.database)).ok());
  }
}

// What the cap doesn't count is not held up by it.
TEST_F(Caps, OtherDatabasesAndUsersAreNotConcerned) {
  PgweirProcess process(Options("max_db_connections = 1\nwait_timeout = \"300ms\""));
  Connection holder(Alpha(process));
  holder.Exec("begin");
  EXPECT_TRUE(Connection(Beta(process)).ok());
  process.Rewrite(Options("max_user_connections = 1\nwait_timeout = \"300ms\""));
  ASSERT_TRUE(process.Reload());
  EXPECT_TRUE(Connection(Beta(process, "second")).ok());
}

TEST_F(Caps, RaisedByAReloadServesWhoWaits) {
  PgweirProcess process(Options("max_node_connections = 1"));
  Connection beta(Beta(process));
  Connection alpha(Alpha(process));
  alpha.Exec("begin");
  beta.Send("select 'served'");
  EXPECT_FALSE(beta.Ready(200));
  process.Rewrite(Options("max_node_connections = 2"));
  ASSERT_TRUE(process.Reload());
  ASSERT_TRUE(beta.Ready(5000));
  EXPECT_EQ(beta.Next()->Value(), "served");
  EXPECT_TRUE(alpha.Exec("commit").ok());
}

TEST_F(Caps, LoweredByAReloadClosesWhatIsIdle) {
  PgweirProcess process(Options("max_node_connections = 4"));
  std::vector<Connection> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(Alpha(process));
    clients.back().Exec("begin");
  }
  EXPECT_EQ(server().CountBackends(kOfPools), 4);
  process.Rewrite(Options("max_node_connections = 2"));
  ASSERT_TRUE(process.Reload());
  for (Connection& client : clients) EXPECT_TRUE(client.Exec("commit").ok());
  EXPECT_TRUE(server().WaitBackends(2, seconds(5), kOfPools));
}

TEST_F(Caps, ClientTooManyOfADatabaseIsRefusedUntilOneLeaves) {
  PgweirProcess process(Options("", "[databases.alpha.pool]\nmax_db_client_connections = 2\n"));
  Connection first(Alpha(process));
  Connection second(Alpha(process, "second"));
  ASSERT_TRUE(first.ok() && second.ok());
  Connection third(Alpha(process));
  EXPECT_FALSE(third.ok());
  EXPECT_NE(third.error().find("too many clients of database \"alpha\" already: 2 are connected "
                               "(pool.max_db_client_connections)"),
            std::string::npos)
      << third.error();
  EXPECT_EQ(third.refusal(), "53300");
  EXPECT_TRUE(Connection(Beta(process)).ok());
  EXPECT_EQ(first.Value("select 1"), "1");
  second.Abandon();
  bool admitted = false;
  for (int i = 0; i < 100 && !admitted; ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    admitted = Connection(Alpha(process)).ok();
  }
  EXPECT_TRUE(admitted);
}

TEST_F(Caps, ClientTooManyOfAUserIsRefusedInEveryDatabase) {
  PgweirProcess process(Options("", "[users.second.pool]\nmax_user_client_connections = 1\n"));
  Connection first(Alpha(process, "second"));
  ASSERT_TRUE(first.ok());
  Connection second(Beta(process, "second"));
  EXPECT_FALSE(second.ok());
  EXPECT_NE(second.error().find("pool.max_user_client_connections"), std::string::npos);
  EXPECT_TRUE(Connection(Beta(process)).ok());
  first.Close();
  bool admitted = false;
  for (int i = 0; i < 100 && !admitted; ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    admitted = Connection(Beta(process, "second")).ok();
  }
  EXPECT_TRUE(admitted);
}

}  // namespace
}  // namespace pgweir::test
