// Processes behind one address: a cancel request reaches its statement wherever it arrives.

#include <atomic>
#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Peers : public ProxyTest {
 protected:
  // A unix socket of its own by which its peers reach it, and a port that they may share.
  PgweirOptions Options(int id, const std::string& peers, std::string_view listen = "") const {
    PgweirOptions options = DefaultOptions(server().port());
    options.listen = fmt::format("workers = 2\npeer_id = {}\nunix_socket_dir = \"{}\"\n{}", id,
                                 Folder(id), listen);
    options.databases += peers;
    return options;
  }
  std::string Folder(int id) const { return folders_[id - 1].path(); }
  std::string PeerToml(int id, int port) const {
    return fmt::format("[peers.{}]\nhost = \"{}\"\nport = {}\n", id, Folder(id), port);
  }

  // As a client's library would, but to this port. Whether it was closed without a word.
  static bool Cancel(int port, std::string_view key) {
    RawClient client(port);
    client.Send(fe::CancelRequest(key));
    return client.ClosedByPeer();
  }
  static std::string KeyOf(const RawClient& client) { return Find(client.welcome(), 'K')->body; }

  TempFolder folders_[2]{TempFolder("one"), TempFolder("two")};
};

TEST_F(Peers, PassCancelRequestsOn) {
  const int ports[] = {FreePort(), FreePort()};
  const std::string peers = PeerToml(1, ports[0]) + PeerToml(2, ports[1]);
  PgweirOptions options[] = {Options(1, peers), Options(2, peers)};
  for (int i = 0; i < 2; ++i) options[i].port = ports[i];
  const PgweirProcess one(options[0]), two(options[1]);

  for (const auto& [own, other] : {std::pair(&one, &two), std::pair(&two, &one)}) {
    RawClient client = RawClient::Login(own->port());
    std::string wrong = KeyOf(client);
    wrong[6] = static_cast<char>(wrong[6] ^ 0x40);
    client.Send(fe::Query("select pg_sleep(30)"));
    EXPECT_TRUE(client.Silent(200));
    EXPECT_TRUE(Cancel(other->port(), wrong));
    EXPECT_TRUE(client.Silent(200)) << "another key reached it";
    EXPECT_TRUE(Cancel(other->port(), KeyOf(client)));
    const auto answer = client.ReadUntilReady();
    EXPECT_EQ(Field(*Find(answer, 'E'), 'C'), "57014");
  }
  Connection console(one.Conninfo("postgres", "pgweir"));
  EXPECT_EQ(console.Exec("show peers").rows(), 2);
  EXPECT_EQ(console.Exec("show peer_pools").rows(), 2);
}

// One is down, one does not exist: the request ends all the same, and so do others.
TEST_F(Peers, ThatAreAwayHoldNobodyUp) {
  PgweirOptions options = Options(1, PeerToml(2, FreePort()));
  const PgweirProcess process(options);
  for (const uint32_t id : {2u, 3u}) {
    EXPECT_TRUE(Cancel(process.port(), fe::Int32(0x41000042 | id << 16) + "abc\x03"));
  }
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Query("select pg_sleep(30)"));
  EXPECT_TRUE(client.Silent(200));
  EXPECT_TRUE(Cancel(process.port(), KeyOf(client)));
  EXPECT_EQ(Field(*Find(client.ReadUntilReady(), 'E'), 'C'), "57014");
  EXPECT_TRUE(process.WaitLog("peer 3, which [peers] does not name"));
}

// A process that stops still has clients, who may want to cancel; new ones it sends away.
TEST_F(Peers, AreReachedWhileTheyDrain) {
  const int ports[] = {FreePort(), FreePort()};
  const std::string peers = PeerToml(1, ports[0]) + PeerToml(2, ports[1]);
  PgweirOptions options[] = {Options(1, peers), Options(2, peers)};
  for (int i = 0; i < 2; ++i) options[i].port = ports[i];
  PgweirProcess draining(options[0]);
  const PgweirProcess other(options[1]);
  RawClient client = RawClient::Login(draining.port());
  client.Send(fe::Query("select pg_sleep(30)"));
  EXPECT_TRUE(client.Silent(200));
  draining.Signal(SIGTERM);
  ASSERT_TRUE(draining.WaitLog("stopping when all clients have left"));
  Connection late(
      fmt::format("host={} port={} user=postgres dbname=postgres", Folder(1), ports[0]));
  EXPECT_FALSE(late.ok());
  EXPECT_NE(late.error().find("shutting down"), std::string::npos) << late.error();
  EXPECT_TRUE(Cancel(other.port(), KeyOf(client)));
  EXPECT_EQ(Field(*Find(client.ReadUntilReady(), 'E'), 'C'), "57014");
  client.Close();
  EXPECT_EQ(draining.WaitExit(seconds(5)), 0);
}

// Two processes on one port, of which one at a time is restarted, under load; and cancel requests,
// of which the kernel leads about half to the wrong process.
TEST_F(Peers, RollUnderLoadWithCancels) {
  const int port = FreePort();
  const std::string peers = PeerToml(1, port) + PeerToml(2, port);
  PgweirOptions options[] = {Options(1, peers, "so_reuseport = true"),
                             Options(2, peers, "so_reuseport = true")};
  std::unique_ptr<PgweirProcess> processes[2];
  for (int i = 0; i < 2; ++i) {
    options[i].port = port;
    processes[i] = std::make_unique<PgweirProcess>(options[i]);
  }
  const std::string conninfo = processes[0]->Conninfo();
  const std::string script = folders_[0].File("script");
  WriteFile(script, "select 1;\n");
  CommandResult load;
  std::thread bench([&] {
    load =
        RunCommand({.argv = {"pgbench", "-n", "-C", "-c", "4", "-T", "6", "-f", script, conninfo}},
                   seconds(60));
  });
  std::atomic<bool> done{false};
  std::atomic<int> cancels{0};
  std::thread canceller([&] {
    while (!done) {
      Connection client(conninfo);
      ASSERT_TRUE(client.ok()) << client.error();
      client.Send("select pg_sleep(30)");
      EXPECT_FALSE(client.Ready(50));
      EXPECT_EQ(client.Cancel(), "");
      ASSERT_TRUE(client.Ready(10'000)) << "a cancel request was lost";
      EXPECT_EQ(client.Next()->sqlstate(), "57014");
      ++cancels;
    }
  });
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(milliseconds(1000));
    auto& process = processes[i % 2];
    process->Signal(SIGTERM);
    EXPECT_EQ(process->WaitExit(seconds(20)), 0);
    process = std::make_unique<PgweirProcess>(options[i % 2]);
  }
  done = true;
  canceller.join();
  bench.join();
  EXPECT_GT(cancels, 20);
  EXPECT_EQ(load.status, 0) << load.output;
  EXPECT_EQ(load.output.find("rror"), std::string::npos) << load.output;
}

}  // namespace
}  // namespace pgweir::test
