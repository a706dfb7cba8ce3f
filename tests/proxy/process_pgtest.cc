// The process: signals, reload, `pgweir check`, systemd, and what the log may say.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Process : public ProxyTest {
 protected:
  static PgweirOptions Options() { return DefaultOptions(server().port()); }

  static CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PgweirBinary());
    return RunCommand({.argv = std::move(arguments)}, seconds(10));
  }
};

TEST_F(Process, TermWaitsForClients) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("begin");
  process.Signal(SIGTERM);
  EXPECT_FALSE(process.WaitExit(milliseconds(500)));
  EXPECT_EQ(client.Value("select 1"), "1");
  EXPECT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(client.Value("select 'still served'"), "still served");
  Connection late(process.Conninfo());
  EXPECT_FALSE(late.ok());
  client.Close();
  EXPECT_EQ(process.WaitExit(seconds(5)), 0);
}

TEST_F(Process, TermWithoutClientsEndsAtOnce) {
  PgweirProcess process(Options());
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitExit(seconds(3)), 0);
}

// Rule 80: on a drain idle clients are told, and transactions end first.
TEST_F(Process, IntWaitsForTransactions) {
  PgweirProcess process(Options());
  server().Query("drop table if exists drained; create table drained (n int)");
  Connection busy(process.Conninfo());
  RawClient idle = RawClient::Login(process.port());
  busy.Exec("begin");
  busy.Exec("insert into drained values (1)");
  process.Signal(SIGINT);
  Message told = idle.Expect('E');
  EXPECT_EQ(Field(told, 'C'), "57P01");
  EXPECT_EQ(Field(told, 'S'), "FATAL");
  EXPECT_TRUE(idle.ClosedByPeer());
  EXPECT_FALSE(process.WaitExit(milliseconds(300)));
  EXPECT_TRUE(busy.Exec("insert into drained values (2)").ok()) << busy.error();
  EXPECT_TRUE(busy.Exec("commit").ok()) << busy.error();
  EXPECT_EQ(process.WaitExit(seconds(5)), 0);
  EXPECT_EQ(server().Query("select count(*) from drained"), "2");
}

TEST_F(Process, SecondSignalEndsAtOnce) {
  for (int sig : {SIGTERM, SIGINT}) {
    PgweirProcess process(Options());
    Connection client(process.Conninfo());
    client.Exec("begin");
    process.Signal(sig);
    EXPECT_FALSE(process.WaitExit(milliseconds(300)));
    process.Signal(sig);
    EXPECT_TRUE(process.WaitExit(seconds(3)));
    EXPECT_FALSE(client.Exec("select 1").ok());
  }
}

TEST_F(Process, QuitEndsAtOnce) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("begin");
  process.Stop();
  EXPECT_TRUE(server().WaitBackends(0, seconds(5)));
}

TEST_F(Process, StopsWithinItsTimeUnderLoad) {
  PgweirProcess process(Options());
  std::vector<Connection> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(process.Conninfo());
    clients.back().Send("select pg_sleep(0.2)");
  }
  process.Signal(SIGINT);
  EXPECT_EQ(process.WaitExit(seconds(10)), 0);
}

TEST_F(Process, ReloadTakesEffectWithoutDisturbingAnybody) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("begin");
  PgweirOptions changed = Options();
  changed.databases += DatabaseToml("added", server().port());
  changed.auth = "method = \"scram-sha-256\"\nusers_file = \"users.txt\"";
  changed.users = "\"postgres\" \"new\"\n";
  process.Rewrite(changed);
  ASSERT_TRUE(process.Reload());
  EXPECT_TRUE(client.Exec("commit").ok());
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_FALSE(Connection(process.Conninfo() + " password=old").ok());
  EXPECT_TRUE(Connection(process.Conninfo() + " password=new").ok());
}

TEST_F(Process, ReloadOfABrokenFileKeepsServing) {
  PgweirProcess process(Options());
  Connection before(process.Conninfo());
  PgweirOptions broken = Options();
  broken.pool = "size = \"many\"";
  process.Rewrite(broken);
  ASSERT_TRUE(process.Reload("pgweir.toml:"));
  EXPECT_EQ(before.Value("select 1"), "1");
  EXPECT_TRUE(Connection(process.Conninfo()).ok());
  process.Rewrite(Options());
  EXPECT_TRUE(process.Reload());
}

TEST_F(Process, ReloadOfASmallerPoolClosesWhatIsTooMuch) {
  PgweirProcess process(Options());
  std::vector<Connection> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(process.Conninfo());
    clients.back().Exec("begin");
  }
  EXPECT_EQ(server().CountBackends(), 5);
  PgweirOptions smaller = Options();
  smaller.pool = "size = 2";
  process.Rewrite(smaller);
  ASSERT_TRUE(process.Reload());
  for (Connection& client : clients) EXPECT_TRUE(client.Exec("commit").ok());
  for (Connection& client : clients) EXPECT_TRUE(client.Exec("select 1").ok());
  EXPECT_TRUE(server().WaitBackends(2, seconds(10)));
}

TEST_F(Process, CheckNamesThePlaceOfAFault) {
  TempFolder folder("check");
  std::string file = folder.File("pgweir.toml");
  WriteFile(folder.File("users.txt"), "");
  WriteFile(file, "[listen]\nport = 6432\n[databases.app]\nprimary = \"host=127.0.0.1\"\n");
  CommandResult good = Run({"check", "--config", file});
  EXPECT_EQ(good.status, 0) << good.output;
  for (const char* fault :
       {"port = \"x\"", "prot = 1", "port = 70000", "port = ", "workers = -1"}) {
    WriteFile(file, fmt::format("[listen]\n  {}\n", fault));
    CommandResult bad = Run({"check", "--config", file});
    EXPECT_EQ(bad.status, 1) << fault;
    EXPECT_NE(bad.output.find(file + ":2:"), std::string::npos) << bad.output;
  }
  EXPECT_EQ(Run({"check", "--config", folder.File("absent.toml")}).status, 1);
}

TEST_F(Process, RunRefusesWhatCheckRefuses) {
  TempFolder folder("check");
  std::string file = folder.File("pgweir.toml");
  WriteFile(file, "[listen]\nport = \"x\"\n");
  CommandResult result = Run({"run", "--config", file});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.output.find(file + ":2:"), std::string::npos) << result.output;
}

TEST_F(Process, RunRefusesAPortInUse) {
  PgweirProcess process(Options());
  CommandResult second = Run({"run", "--config", process.config_file()});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.output.find(std::to_string(process.port())), std::string::npos) << second.output;
}

TEST_F(Process, TellsItsVersionAndUsage) {
  CommandResult version = Run({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.output.rfind("pgweir ", 0), 0u) << version.output;
  CommandResult help = Run({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* word : {"run", "check", "--config"}) {
    EXPECT_NE(help.output.find(word), std::string::npos) << word;
  }
  EXPECT_NE(Run({"fly"}).status, 0);
  EXPECT_NE(Run({}).status, 0);
  EXPECT_NE(Run({"run"}).status, 0);
}

// What systemd hears, datagram by datagram.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    timeval wait{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~NotifySocket() { ::close(fd_); }

  // Whether this comes before anything else that is not a status line.
  bool Hears(std::string_view expected) {
    for (int tries = 0; tries < 10; ++tries) {
      char buffer[4096];
      ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      std::string_view text(buffer, static_cast<size_t>(got));
      if (text.find(expected) != std::string_view::npos) return true;
      if (text.rfind("STATUS=", 0) != 0) return false;
    }
    return false;
  }

 private:
  int fd_;
};

TEST_F(Process, NotifiesSystemd) {
  TempFolder folder("notify");
  NotifySocket systemd(folder.File("socket"));
  PgweirOptions options = Options();
  options.env = {"NOTIFY_SOCKET=" + folder.File("socket")};
  options.wait_ready = false;
  PgweirProcess process(options);
  EXPECT_TRUE(systemd.Hears("READY=1"));
  process.Signal(SIGHUP);
  EXPECT_TRUE(systemd.Hears("RELOADING=1"));
  EXPECT_TRUE(systemd.Hears("READY=1"));
  process.Signal(SIGTERM);
  EXPECT_TRUE(systemd.Hears("STOPPING=1"));
  EXPECT_EQ(process.WaitExit(seconds(5)), 0);
}

// stderr gets each line first.
bool WaitFile(const std::string& path, std::string_view text) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(5);
  while (ReadFile(path).find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

TEST_F(Process, ReloadOpensTheLogFileAnew) {
  PgweirOptions options = Options();
  options.log =
      "connections = true\nfile = \"@/own.log\"\nstats_period = \"1s\"\n[process]\npid_file = "
      "\"@/pid\"";
  PgweirProcess process(options);
  const std::string path = process.folder() + "/own.log";
  EXPECT_EQ(ReadFile(process.folder() + "/pid"), fmt::format("{}\n", process.pid()));
  EXPECT_TRUE(Connection(process.Conninfo()).ok());
  EXPECT_TRUE(process.WaitLog("stats: "));
  EXPECT_TRUE(WaitFile(path, "info login attempt: db=postgres"));
  rename(path.c_str(), (path + ".1").c_str());
  ASSERT_TRUE(process.Reload("reloaded"));
  EXPECT_TRUE(WaitFile(path, "reloaded"));
  EXPECT_EQ(ReadFile(path + ".1").find("reloaded"), std::string::npos);
  process.Stop();
  EXPECT_EQ(ReadFile(process.folder() + "/pid"), "");
}

TEST_F(Process, LogHoldsNoSecret) {
  PgweirOptions options{
      .auth = "method = \"password\"\nallow_plain_without_tls = true\nusers_file = \"users.txt\"",
      .databases = DatabaseToml("*", server().port(), "user=postgres password=node-secret-1"),
      .log = "level = \"trace\"",
      .users = "\"postgres\" \"file-secret-2\"\n"};
  PgweirProcess process(options);
  Connection good(process.Conninfo() + " password=file-secret-2");
  EXPECT_TRUE(good.ok()) << good.error();
  good.Exec("select 'statement-secret-3'");
  EXPECT_FALSE(Connection(process.Conninfo() + " password=typed-secret-4").ok());
  PgweirOptions broken = options;
  broken.users += "\"broken\" \"broken-secret-5\n";
  process.Rewrite(broken);
  process.Reload("users.txt");
  std::string log = process.log();
  EXPECT_NE(log, "");
  for (const char* secret : {"node-secret", "file-secret", "typed-secret", "broken-secret"}) {
    EXPECT_EQ(log.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace pgweir::test
