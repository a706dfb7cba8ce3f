// A new process takes over while the old one still serves whom it has (listen.so_reuseport).

#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {
namespace {

using std::chrono::seconds;

class Restart : public ProxyTest {
 protected:
  PgweirOptions Options() const {
    PgweirOptions options = DefaultOptions(server().port());
    options.listen =
        fmt::format("workers = 2\nso_reuseport = true\nunix_socket_dir = \"{}\"", sockets_.path());
    return options;
  }
  // The same address again.
  static PgweirOptions At(PgweirOptions options, const PgweirProcess& process) {
    options.port = process.port();
    return options;
  }
  std::string SocketConninfo(const PgweirProcess& process) const {
    return fmt::format("host={} port={} user=postgres dbname=postgres", sockets_.path(),
                       process.port());
  }

  TempFolder sockets_{"sockets"};
};

// Each transaction on a connection of its own, so that some begin at every moment.
TEST_F(Restart, RollsUnderLoadWithoutAFailure) {
  server().Query("create table if not exists pgbench_restart (n int)");
  const PgweirOptions options = Options();
  auto old = std::make_unique<PgweirProcess>(options);
  const std::string script = sockets_.File("script");
  WriteFile(script, "insert into pgbench_restart values (1);\n");
  const auto load = [script](const std::string& conninfo) {
    return RunCommand(
        {.argv = {"pgbench", "-n", "-C", "-c", "4", "-T", "5", "-f", script, conninfo}},
        seconds(60));
  };
  CommandResult by_tcp, by_unix;
  std::thread tcp([&, to = old->Conninfo()] { by_tcp = load(to); });
  std::thread unix_socket([&, to = SocketConninfo(*old)] { by_unix = load(to); });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(seconds(1));
    auto fresh = std::make_unique<PgweirProcess>(At(options, *old));
    old->Signal(SIGTERM);
    EXPECT_EQ(old->WaitExit(seconds(10)), 0);
    old = std::move(fresh);
  }
  tcp.join();
  unix_socket.join();
  for (const CommandResult& result : {by_tcp, by_unix}) {
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output.find("rror"), std::string::npos) << result.output;
  }
}

TEST_F(Restart, WhoIsConnectedStaysWithTheOldProcess) {
  PgweirProcess old(Options());
  Connection before(old.Conninfo());
  before.Exec("begin");
  PgweirProcess fresh(At(Options(), old));
  old.Signal(SIGTERM);
  // A connection that is just being made when the old one closes its port would be refused.
  ASSERT_TRUE(old.WaitLog("stopping when all clients have left"));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (int i = 0; i < 5; ++i) {
    Connection after(fresh.Conninfo()), by_socket(SocketConninfo(fresh));
    EXPECT_EQ(after.Value("select 1"), "1");
    EXPECT_EQ(by_socket.Value("select 1"), "1");
  }
  EXPECT_EQ(before.Value("select 1"), "1");
  EXPECT_TRUE(before.Exec("commit").ok());
  before.Close();
  EXPECT_EQ(old.WaitExit(seconds(5)), 0);
  Connection later(SocketConninfo(fresh));
  EXPECT_TRUE(later.ok()) << "the old process has taken the new one's socket away";
}

TEST_F(Restart, WithoutItThePortIsTaken) {
  PgweirProcess first(DefaultOptions(server().port()));
  PgweirOptions options = At(Options(), first);
  options.wait_ready = false;
  PgweirProcess second(options);
  EXPECT_EQ(second.WaitExit(seconds(5)), 1);
  EXPECT_NE(second.log().find("cannot listen on"), std::string::npos) << second.log();
}

}  // namespace
}  // namespace pgweir::test
