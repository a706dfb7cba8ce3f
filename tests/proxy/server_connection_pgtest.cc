// The connections to servers: under TLS, negotiated as libpq's sslmode says, and with the socket
// options that notice a dead peer.

#include <fstream>
#include <sstream>
#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"
#include "tests/support/refusing_server.h"

namespace pgweir::test {
namespace {

class ServerTls : public testing::Test {
 protected:
  ServerTls()
      : server_({.hba = {"hostssl all all 127.0.0.1/32 trust"}, .tls = true}),
        process_({.pool = "size = 1",
                  .databases = DatabaseToml("*", server_.port(), "sslmode=require")}) {}
  ~ServerTls() override {
    if (HasFailure()) process_.ShowLog();
  }

  PostgresServer server_;
  PgweirProcess process_;
};

TEST_F(ServerTls, CarriesRequestsOfEveryKind) {
  Connection client(process_.Conninfo());
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.Value("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t");
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.ExecParams("select $1::int", {std::to_string(i)}).Value(), std::to_string(i));
  }
  EXPECT_EQ(server_.CountBackends("usename = 'postgres'"), 1);
}

// Rule 27: what TLS has decrypted already raises no event, and a write that blocked goes on with
// the same bytes.
TEST_F(ServerTls, CarriesLargeValuesBothWays) {
  Connection client(process_.Conninfo());
  const std::string value(8'000'000, 'v');
  EXPECT_EQ(client.Value("select length('" + value + "')"), "8000000");
  EXPECT_EQ(client.Value("select repeat('v', 8000000)"), value);
}

TEST_F(ServerTls, CancelReachesTheServer) {
  Connection client(process_.Conninfo());
  client.Send("select pg_sleep(30)");
  EXPECT_FALSE(client.Ready(200));
  EXPECT_EQ(client.Cancel(), "");
  ASSERT_TRUE(client.Ready(5000));
  EXPECT_EQ(client.Next()->sqlstate(), "57014");
}

TEST_F(ServerTls, EndedBackendIsReplacedUnseen) {
  Connection client(process_.Conninfo());
  const std::string before = client.Value("select pg_backend_pid()");
  server_.Query("select pg_terminate_backend(" + before + ")");
  ASSERT_TRUE(server_.WaitBackends(0, std::chrono::seconds(5), "usename = 'postgres'"));
  EXPECT_NE(client.Value("select pg_backend_pid()"), before);
}

TEST_F(ServerTls, ClientThatLeavesIsCleanedUpBehind) {
  std::string pid;
  {
    Connection leaving(process_.Conninfo());
    leaving.Exec("begin; create table left_behind (n int)");
    pid = leaving.Value("select pg_backend_pid()");
  }
  Connection next(process_.Conninfo());
  EXPECT_EQ(next.Value("select pg_backend_pid()"), pid);
  EXPECT_EQ(next.Value("select count(*) from pg_class where relname = 'left_behind'"), "0");
}

TEST(ServerTlsModes, DisableIsRefusedByAServerThatWantsTls) {
  PostgresServer server({.hba = {"hostssl all all 127.0.0.1/32 trust"}, .tls = true});
  PgweirProcess process({.databases = DatabaseToml("*", server.port(), "sslmode=disable")});
  EXPECT_EQ(Connection(process.Conninfo()).refusal(), "28000");
}

// Rule 3: a server without TLS says 'N'; an old one answers with an error.
TEST(ServerTlsModes, RequireRefusesAServerWithoutTls) {
  PostgresServer server;
  PgweirProcess process(
      {.pool = "wait_timeout = \"500ms\"",
       .databases = DatabaseToml("*", server.port(), "sslmode=require") +
                    DatabaseToml("plain", server.port(), "sslmode=prefer dbname=postgres")});
  Connection refused(process.Conninfo());
  EXPECT_EQ(refused.refusal(), "08001");
  EXPECT_NE(refused.error().find("SSL"), std::string::npos) << refused.error();
  Connection plain(process.Conninfo("postgres", "plain"));
  EXPECT_EQ(plain.Value("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "f");
}

TEST(ServerTlsModes, ErrorInPlaceOfTheTlsAnswerIsNoHang) {
  RefusingServer old_server("Esomething went wrong\n");
  PgweirProcess process({.pool = "wait_timeout = \"500ms\"",
                         .databases = DatabaseToml("*", old_server.port(), "sslmode=require")});
  EXPECT_EQ(Connection(process.Conninfo()).refusal(), "08001");
  EXPECT_TRUE(process.Running());
}

// Rule 3: bytes behind the 'S' would be taken for decrypted ones.
TEST(ServerTlsModes, BytesBehindTheTlsAnswerAreRefused) {
  RefusingServer injecting(std::string("S") + std::string(64, 'R'));
  PgweirProcess process({.pool = "wait_timeout = \"500ms\"",
                         .databases = DatabaseToml("*", injecting.port(), "sslmode=require")});
  EXPECT_EQ(Connection(process.Conninfo()).refusal(), "08001");
}

// The kernel's timer of established connections at or to the port, by /proc/net/tcp; 2 is
// keepalive.
std::vector<std::string> TimersOf(int port) {
  std::vector<std::string> timers;
  std::ifstream table("/proc/net/tcp");
  const std::string wanted = fmt::format(":{:04X}", port);
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer;
    fields >> number >> local >> remote >> state >> queues >> timer;
    if (state == "01" && local.ends_with(wanted)) timers.push_back(timer.substr(0, 2));
  }
  return timers;
}

// Rule 30
TEST(ServerConnection, BothSidesNoticeAPeerThatIsGone) {
  PostgresServer server;
  PgweirProcess process({.databases = DatabaseToml("*", server.port())});
  Connection client(process.Conninfo());
  client.Value("select 1");
  // pgweir's end of the client's connection. Its end towards the server is libpq's, whose default
  // it is; the server's own end is at its port.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::vector<std::string> timers = TimersOf(process.port());
  ASSERT_EQ(timers.size(), 1u);
  EXPECT_EQ(timers[0], "02");
}

}  // namespace
}  // namespace pgweir::test
