// The tests' own tools: a gate that doesn't cut, or a server that doesn't stop, would make every
// test built on it worthless.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/gate.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"
#include "tests/support/raw_client.h"

namespace pgweir::test {
namespace {

class Support : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<PostgresServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  static std::string ThroughGate(const Gate& gate) {
    return "host=127.0.0.1 sslmode=disable user=postgres dbname=postgres port=" +
           std::to_string(gate.port());
  }

  static std::unique_ptr<PostgresServer> server_;
};

std::unique_ptr<PostgresServer> Support::server_;

TEST_F(Support, ServerStopsAndStartsAgainWithItsData) {
  PostgresServer own;
  own.Query("create table kept as select 7 as n");
  own.Stop(StopMode::kFast);
  EXPECT_FALSE(own.running());
  EXPECT_FALSE(Connection(own.Conninfo()).ok());
  own.Start();
  EXPECT_EQ(own.Query("select n from kept"), "7");
  own.Stop(StopMode::kImmediate);
  own.Start();
  EXPECT_EQ(own.Query("select 1"), "1");
}

TEST_F(Support, ServerTakesScramAndTls) {
  PostgresServer own({.hba = {"hostssl all all 127.0.0.1/32 scram-sha-256"}, .tls = true});
  own.Query("create role alice login password 'wonder'");
  EXPECT_TRUE(Connection(own.Conninfo("alice") + " password=wonder sslmode=require").ok());
  EXPECT_FALSE(Connection(own.Conninfo("alice") + " password=wander sslmode=require").ok());
  EXPECT_FALSE(Connection(own.Conninfo("alice") + " password=wonder sslmode=disable").ok());
}

TEST_F(Support, GatePassesTrafficAndTls) {
  PostgresServer own({.hba = {"hostssl all all 127.0.0.1/32 trust"}, .tls = true});
  Gate gate(own.port());
  Connection connection("host=127.0.0.1 user=postgres dbname=postgres sslmode=require port=" +
                        std::to_string(gate.port()));
  ASSERT_TRUE(connection.ok()) << connection.error();
  EXPECT_EQ(connection.Value("select length(repeat('x', 3000000))"), "3000000");
}

TEST_F(Support, GateCutsInPlaceOfTheThirdQuery) {
  Gate gate(server_->port());
  Connection connection(ThroughGate(gate));
  ASSERT_TRUE(connection.ok()) << connection.error();
  server_->Query("create table cut_before (n int)");
  gate.Arm({.type = 'Q', .count = 3, .after = false});
  EXPECT_TRUE(connection.Exec("insert into cut_before values (1)").ok());
  EXPECT_TRUE(connection.Exec("insert into cut_before values (2)").ok());
  EXPECT_FALSE(connection.Exec("insert into cut_before values (3)").ok());
  EXPECT_FALSE(connection.ok());
  EXPECT_EQ(server_->Query("select count(*) from cut_before"), "2");
}

TEST_F(Support, GateCutsBehindAForwardedQuery) {
  Gate gate(server_->port());
  Connection connection(ThroughGate(gate));
  server_->Query("create table cut_after (n int)");
  gate.Arm({.type = 'Q', .count = 1, .after = true, .also = [] { usleep(200'000); }});
  EXPECT_FALSE(connection.Exec("insert into cut_after values (1)").ok());
  EXPECT_EQ(server_->Query("select count(*) from cut_after"), "1");
}

TEST_F(Support, GateCutsAtAByte) {
  Gate gate(server_->port());
  RawClient client = RawClient::Login(gate.port());
  gate.Arm({.side = Side::kToClient, .count = 7, .cut = Cut::kFinish});
  client.Send(fe::Query("select 1"));
  for (int i = 0; i < 7; ++i) client.ReadByte();
  EXPECT_TRUE(client.ClosedByPeer());
  EXPECT_TRUE(gate.WaitFired());
}

TEST_F(Support, GateDelaysThrottlesAndFreezes) {
  using std::chrono::steady_clock;
  Gate gate(server_->port());
  Connection connection(ThroughGate(gate));
  gate.SetDelay(std::chrono::milliseconds(60));
  auto start = steady_clock::now();
  connection.Value("select 1");
  EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds(120));
  gate.SetDelay(std::chrono::milliseconds(0));

  gate.SetRate(Side::kToClient, 200'000);
  start = steady_clock::now();
  connection.Value("select repeat('x', 100000)");
  EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds(300));
  gate.SetRate(Side::kToClient, 0);

  gate.Freeze(true);
  connection.Send("select 1");
  EXPECT_FALSE(connection.Ready(200));
  gate.Freeze(false);
  EXPECT_TRUE(connection.Ready(5000));
}

TEST_F(Support, GateRefusesNewConnectionsOnly) {
  Gate gate(server_->port());
  Connection kept(ThroughGate(gate));
  gate.Refuse(true);
  EXPECT_FALSE(Connection(ThroughGate(gate)).ok());
  EXPECT_EQ(kept.Value("select 1"), "1");
}

TEST_F(Support, RawClientSeesEachMessage) {
  RawClient client = RawClient::Login(server_->port());
  EXPECT_NE(Find(client.welcome(), 'K'), nullptr);
  EXPECT_EQ(Types(client.Query("select 1 union all select 2")), "TDDCZ");
  client.Send(fe::Extended("select $1::text || 'b'", {"a"}) + fe::Sync());
  std::vector<Message> answer = client.ReadUntilReady();
  EXPECT_EQ(Types(answer), "12TDCZ");
  EXPECT_EQ(Columns(*Find(answer, 'D')), std::vector<std::string>{"ab"});
  EXPECT_EQ(Field(client.Query("select 1/0").front(), 'C'), "22012");
}

TEST_F(Support, ChildDiesWithItsParentThread) {
  pid_t pid = 0;
  std::unique_ptr<ChildProcess> child;
  std::thread([&] {
    child = std::make_unique<ChildProcess>(ChildOptions{.argv = {"sleep", "60"}});
    pid = child->pid();
    usleep(300'000);  // the child asks for the signal on its way to exec
  }).join();
  EXPECT_GT(pid, 0);
  EXPECT_EQ(child->WaitExit(std::chrono::seconds(5)), 128 + SIGKILL);
}

}  // namespace
}  // namespace pgweir::test
