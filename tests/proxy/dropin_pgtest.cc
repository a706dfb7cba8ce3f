// A PgBouncer installation taken over: the same ini and userlist, the same command line.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr char kPgBouncer[] = "/usr/sbin/pgbouncer";

template <typename Condition>
bool Within(seconds time, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

class DropIn : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<PostgresServer>(PostgresOptions{
        .hba = {"host all older 127.0.0.1/32 md5", "host all all 127.0.0.1/32 scram-sha-256"}});
    server_->Query("create role app login password 'app-secret'");
    server_->Query("create role late login password 'late-secret'");
    server_->Query("create role asker login superuser password 'asker-secret'");
    server_->Query("set password_encryption = 'md5'; create role older login password 'old'");
    server_->Query("create database shop");
  }
  static void TearDownTestSuite() { server_.reset(); }

  DropIn() : folder_("dropin"), port_(FreePort()) {
    for (const char* name : {"etc", "log", "run"}) {
      std::filesystem::create_directory(folder_.File(name));
      chmod(folder_.File(name).c_str(), 0777);
    }
    WriteUsers("");
    WriteIni("");
  }
  ~DropIn() override {
    if (const pid_t pid = DaemonPid(); pid > 0) kill(pid, SIGKILL);
  }

  std::string Ini() const { return folder_.File("etc/pgbouncer.ini"); }
  std::string Log() const { return ReadFile(folder_.File("log/pgbouncer.log")); }
  std::string PidFile() const { return folder_.File("run/pgbouncer.pid"); }
  // Laid out as Debian's package does it, with lines of [databases] and of [pgbouncer] added.
  void WriteIni(std::string_view general, std::string_view databases = "") const {
    const std::string host = fmt::format("host=127.0.0.1 port={}", server_->port());
    WriteFile(Ini(), fmt::format(R"(;;;
;;; PgBouncer configuration file
;;;
[databases]
shop = {0}
;; redirected
alias = {0} dbname=shop connect_query='set work_mem = ''5MB'''
forced = {0} dbname=shop user=app password='app-secret' client_encoding=LATIN1 datestyle='SQL'
{1}

[users]
;someone = pool_mode=transaction

[pgbouncer]
logfile = {2}/log/pgbouncer.log
pidfile = {2}/run/pgbouncer.pid
listen_addr = localhost
listen_port = {3}
unix_socket_dir = {2}/run
auth_type = md5
auth_file = {2}/etc/userlist.txt
{4}
)",
                                 host, databases, folder_.path(), port_, general));
  }
  void WriteUsers(std::string_view more) const {
    WriteFile(folder_.File("etc/userlist.txt"), "\"app\" \"app-secret\"\n" + std::string(more));
  }

  std::string Conninfo(std::string_view database, std::string_view user = "app",
                       std::string_view password = "app-secret") const {
    return fmt::format("host=127.0.0.1 port={} dbname={} user={} password={}", port_, database,
                       user, password);
  }
  bool Enters() const { return Connection(Conninfo("shop")).ok(); }

  // `binary` in the foreground, as the user that PostgreSQL's servers run as.
  ChildProcess Start(const std::string& binary, const std::vector<std::string>& options = {"-q"}) {
    ChildOptions child{.argv = {binary}, .output = folder_.File("output"), .as_postgres = true};
    child.argv.insert(child.argv.end(), options.begin(), options.end());
    child.argv.push_back(Ini());
    ChildProcess process(child);
    EXPECT_TRUE(Within(seconds(15), [this] { return Enters(); }))
        << Log() << ReadFile(folder_.File("output"));
    return process;
  }
  CommandResult Run(std::vector<std::string> arguments, bool as_postgres = true) const {
    arguments.insert(arguments.begin(), PgweirBinary());
    return RunCommand({.argv = std::move(arguments), .as_postgres = as_postgres}, seconds(20));
  }
  pid_t DaemonPid() const {
    const std::string text = ReadFile(PidFile());
    return text.empty() ? 0 : static_cast<pid_t>(std::stol(text));
  }
  static PostgresServer& server() { return *server_; }

  static std::unique_ptr<PostgresServer> server_;
  const TempFolder folder_;
  const int port_;
};

std::unique_ptr<PostgresServer> DropIn::server_;

std::string Told(const Result& result) {
  if (!result.ok()) return "error " + result.sqlstate() + " " + result.message();
  return result.tag() + " " + result.Value();
}

// What a client sees of the pooler that serves now.
std::vector<std::string> Seen(const std::string& shop, const std::string& alias,
                              const std::string& forced, const std::string& by_socket) {
  std::vector<std::string> seen;
  for (const std::string& conninfo : {shop, alias, forced, by_socket}) {
    const Connection client(conninfo);
    seen.push_back(client.ok() ? "in" : client.error());
    for (const char* parameter :
         {"server_version", "server_encoding", "client_encoding", "DateStyle", "TimeZone",
          "standard_conforming_strings", "integer_datetimes"}) {
      seen.push_back(fmt::format("{}={}", parameter, client.Parameter(parameter)));
    }
    for (const char* sql : {"select current_user || '@' || current_database()",
                            "show client_encoding",
                            "show datestyle",
                            "select date '2001-02-03'",
                            "select 1/0",
                            "selec",
                            "",
                            "create temp table t (n int)",
                            "insert into t select generate_series(1, 5)",
                            "select sum(n) from t",
                            "begin",
                            "delete from t",
                            "select bad",
                            "select 1",
                            "rollback",
                            "select count(*) from t",
                            "set datestyle = 'German'",
                            "select date '2001-02-03'",
                            "discard all",
                            "select 'a'; select 'b'",
                            "prepare p as select 7",
                            "execute p"}) {
      seen.push_back(std::string(sql) + ": " + Told(client.Exec(sql)));
    }
    seen.push_back(Told(client.ExecParams("select $1::int + $2::int", {"1", "2"})));
    seen.push_back(Told(client.ExecParams("select $1::int", {"x"})));
  }
  return seen;
}

// The first of the two is PgBouncer itself, which keeps the file and the expectations honest.
TEST_F(DropIn, ClientsSeeOfBothTheSame) {
  WriteUsers("\"late\" \"late-secret\"\n");
  const std::string by_socket = fmt::format(
      "host={}/run port={} dbname=shop user=app "
      "password=app-secret",
      folder_.path(), port_);
  std::vector<std::vector<std::string>> seen;
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    ASSERT_TRUE(Enters());
    seen.push_back(Seen(Conninfo("shop"), Conninfo("alias"),
                        Conninfo("forced", "late", "late-secret"), by_socket));
    EXPECT_FALSE(Connection(Conninfo("shop", "app", "wrong")).ok());
    EXPECT_FALSE(Connection(Conninfo("shop", "nobody")).ok());
    EXPECT_FALSE(Connection(Conninfo("nothing")).ok());
    EXPECT_EQ(DaemonPid(), pooler.pid());
    pooler.Signal(SIGINT);
    EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
    EXPECT_FALSE(std::filesystem::exists(PidFile()));
  }
  EXPECT_EQ(std::count(seen[0].begin(), seen[0].end(), "in"), 4);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST_F(DropIn, CheckTellsWarningsAndFaults) {
  const CommandResult good = Run({"check", "--config", Ini()});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.output, Ini() + ": ok\n");
  WriteIni("pkt_buf = 8192");
  const CommandResult warned = Run({"check", "--config", Ini()});
  EXPECT_EQ(warned.status, 0);
  EXPECT_THAT(warned.output, HasSubstr("pgbouncer.ini:22:11: warning: pkt_buf: no meaning"));
  WriteIni("pool_mode = fast");
  const CommandResult bad = Run({"check", "--config", Ini()});
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.output, HasSubstr("pgbouncer.ini:22:13: pool_mode: must be one of"));
  EXPECT_EQ(Run({Ini()}).output, bad.output);
}

TEST_F(DropIn, ReloadReadsIniAndUsersAgain) {
  ChildProcess pooler = Start(PgweirBinary());
  EXPECT_FALSE(Connection(Conninfo("shop", "late", "late-secret")).ok());
  EXPECT_FALSE(Connection(Conninfo("added")).ok());
  const Connection before(Conninfo("shop"));
  WriteUsers("\"late\" \"late-secret\"\n");
  WriteFile(
      folder_.File("etc/more.ini"),
      fmt::format("[databases]\nadded = host=127.0.0.1 port={} dbname=shop\n", server().port()));
  WriteIni(fmt::format("%include {}/etc/more.ini", folder_.path()));
  pooler.Signal(SIGHUP);
  EXPECT_TRUE(Within(seconds(5), [this] {
    return Connection(Conninfo("added", "late", "late-secret")).ok();
  })) << Log();
  EXPECT_EQ(before.Value("select 1"), "1");
  WriteIni("pool_mode = fast");
  pooler.Signal(SIGHUP);
  EXPECT_TRUE(Within(
      seconds(5), [this] { return Log().find("pool_mode: must be one of") != std::string::npos; }));
  EXPECT_TRUE(Connection(Conninfo("added")).ok());
}

TEST_F(DropIn, GoesToTheBackgroundAndReturnsWhenItServes) {
  const CommandResult started = Run({"-d", Ini()});
  ASSERT_EQ(started.status, 0) << started.output;
  EXPECT_TRUE(Enters());
  const pid_t pid = DaemonPid();
  ASSERT_GT(pid, 0);
  EXPECT_NE(getsid(pid), getsid(0));
  EXPECT_EQ(kill(pid, 0), 0);

  const CommandResult second = Run({"-d", Ini()});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr(fmt::format("is process {} another instance?", pid)));
  EXPECT_EQ(DaemonPid(), pid);

  // Phrases that scripts look for in PgBouncer's log.
  EXPECT_TRUE(Within(
      seconds(5), [this] { return Log().find("closing because: client") != std::string::npos; }));
  EXPECT_THAT(Log(), HasSubstr("login attempt: db=shop user=app tls=no"));
  EXPECT_THAT(Log(), HasSubstr("new connection to server"));
  EXPECT_THAT(Log(), HasSubstr("(age=0s)"));
  EXPECT_FALSE(Connection(Conninfo("nothing")).ok());
  EXPECT_TRUE(
      Within(seconds(5), [this] { return Log().find("pooler error: ") != std::string::npos; }));

  const std::string rotated = folder_.File("log/pgbouncer.log.1");
  std::filesystem::rename(folder_.File("log/pgbouncer.log"), rotated);
  kill(pid, SIGHUP);
  EXPECT_TRUE(Within(seconds(5), [this] { return Log().find("reloaded") != std::string::npos; }));
  EXPECT_EQ(ReadFile(rotated).find("reloaded"), std::string::npos);

  kill(pid, SIGTERM);
  EXPECT_TRUE(Within(seconds(5), [this] { return !std::filesystem::exists(PidFile()); }));
  EXPECT_TRUE(Within(seconds(5), [pid] { return kill(pid, 0) != 0; }));
  EXPECT_FALSE(Enters());
}

TEST_F(DropIn, ABackgroundProcessThatCannotServeIsTold) {
  WriteIni("pidfile =");
  EXPECT_THAT(Run({"-d", Ini()}).output, HasSubstr("-d needs a pidfile"));
  WriteIni("logfile =");
  EXPECT_THAT(Run({"-d", Ini()}).output, HasSubstr("-d needs a logfile or syslog"));
  WriteIni("listen_addr = 192.0.2.1");
  const CommandResult failed = Run({"-d", Ini()});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.output, HasSubstr("cannot listen on 192.0.2.1"));
  EXPECT_FALSE(std::filesystem::exists(PidFile()));
}

TEST_F(DropIn, ReplacesThePidFileOfAProcessThatIsGone) {
  ChildProcess gone({.argv = {"/bin/true"}});
  const pid_t pid = gone.pid();
  gone.WaitExit(seconds(5));
  WriteFile(PidFile(), fmt::format("{}\n", pid));
  ChildProcess pooler = Start(PgweirBinary());
  EXPECT_EQ(DaemonPid(), pooler.pid());
  pooler.Signal(SIGQUIT);
  EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
}

// What replaces an online reboot: the same file for both.
TEST_F(DropIn, ASecondProcessTakesOver) {
  WriteIni("so_reuseport = 1");
  ASSERT_EQ(Run({"-d", Ini()}).status, 0);
  const pid_t old = DaemonPid();
  const Connection before(Conninfo("shop"));
  ASSERT_EQ(Run({"-d", Ini()}).status, 0) << Log();
  const pid_t fresh = DaemonPid();
  EXPECT_NE(old, fresh);
  kill(old, SIGTERM);
  EXPECT_EQ(before.Value("select 1"), "1");
  EXPECT_TRUE(Within(seconds(5), [this] {
    return Log().find("stopping when all clients have left") != std::string::npos;
  }));
  EXPECT_TRUE(Enters());
  kill(old, SIGQUIT);
  EXPECT_TRUE(Within(seconds(5), [old] { return kill(old, 0) != 0; }));
  EXPECT_EQ(DaemonPid(), fresh);
  EXPECT_TRUE(Enters());
}

TEST_F(DropIn, RefusesAnOnlineRebootWithAWayRoundIt) {
  const CommandResult refused = Run({"-R", Ini()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("so_reuseport"));
}

TEST_F(DropIn, QuietKeepsTheLogOffStderr) {
  ChildProcess loud = Start(PgweirBinary(), {});
  EXPECT_TRUE(Within(seconds(5), [this] {
    return ReadFile(folder_.File("output")).find("login attempt") != std::string::npos;
  }));
  loud.Signal(SIGQUIT);
  EXPECT_EQ(loud.WaitExit(seconds(10)), 0);
  WriteFile(folder_.File("output"), "");
  chmod(folder_.File("output").c_str(), 0666);
  ChildProcess quiet = Start(PgweirBinary(), {"-q", "-v"});
  EXPECT_EQ(ReadFile(folder_.File("output")).find("login attempt"), std::string::npos);
  EXPECT_TRUE(Within(seconds(5), [this] { return Log().find(" debug ") != std::string::npos; }));
}

TEST_F(DropIn, RootBecomesTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  WriteIni("user = postgres");
  const CommandResult started = Run({"-d", Ini()}, /*as_postgres=*/false);
  ASSERT_EQ(started.status, 0) << started.output;
  struct stat self{}, log{}, pid_file{};
  ASSERT_EQ(stat(fmt::format("/proc/{}", DaemonPid()).c_str(), &self), 0);
  ASSERT_EQ(stat(folder_.File("log/pgbouncer.log").c_str(), &log), 0);
  ASSERT_EQ(stat(PidFile().c_str(), &pid_file), 0);
  EXPECT_NE(self.st_uid, 0u);
  EXPECT_NE(self.st_gid, 0u);
  EXPECT_EQ(log.st_uid, self.st_uid);
  EXPECT_EQ(pid_file.st_uid, self.st_uid);
  EXPECT_TRUE(Enters());
  WriteIni("user = nobody-of-that-name\npidfile =");
  EXPECT_THAT(Run({Ini()}, /*as_postgres=*/false).output, HasSubstr("there is no user"));
}

TEST_F(DropIn, TrustAdmitsOnlyUsersOfTheAuthFile) {
  WriteIni("auth_type = trust",
           "f2 = host=127.0.0.1 user=app password=app-secret dbname=shop "
           "port=" +
               std::to_string(server().port()));
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    EXPECT_TRUE(Connection(Conninfo("f2", "app", "any")).ok());
    EXPECT_FALSE(Connection(Conninfo("f2", "nobody", "any")).ok());
    pooler.Signal(SIGINT);
    EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
  }
}

// Of rules PgBouncer's are a part of ours.
TEST_F(DropIn, RulesDecide) {
  WriteFile(folder_.File("etc/hba"),
            "host shop app 127.0.0.1/32 md5\nhost alias app 127.0.0.1/32 trust\n");
  WriteIni("auth_type = hba\nauth_hba_file = " + folder_.File("etc/hba"));
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    EXPECT_TRUE(Connection(Conninfo("alias", "app", "any")).ok());
    EXPECT_FALSE(Connection(Conninfo("shop", "app", "any")).ok());
    EXPECT_FALSE(Connection(Conninfo("forced")).ok());
    pooler.Signal(SIGINT);
    EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
  }
}

TEST_F(DropIn, ADatabaseIsAskedForSecretsByItsOwnAuthUser) {
  WriteUsers("\"asker\" \"asker-secret\"\n");
  WriteIni("", fmt::format("asking = host=127.0.0.1 port={} dbname=shop auth_user=asker",
                           server().port()));
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    EXPECT_EQ(Connection(Conninfo("asking", "late", "late-secret")).Value("select current_user"),
              "late");
    EXPECT_FALSE(Connection(Conninfo("asking", "late", "wrong")).ok());
    EXPECT_FALSE(Connection(Conninfo("shop", "late", "late-secret")).ok());
    pooler.Signal(SIGINT);
    EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
  }
}

// A `user=` without a password has whatever secret the auth_file has.
TEST_F(DropIn, AForcedUserLogsInByItsHash) {
  const auto secret = [](std::string_view user) {
    return server().Query(
        fmt::format("select rolpassword from pg_authid where rolname = '{}'", user));
  };
  WriteUsers(fmt::format("\"late\" \"{}\"\n\"older\" \"{}\"\n", secret("late"), secret("older")));
  const std::string host = fmt::format("host=127.0.0.1 port={} dbname=shop ", server().port());
  WriteIni("", "as_older = " + host + "user=older\nas_late = " + host + "user=late");
  ChildProcess pooler = Start(PgweirBinary());
  EXPECT_EQ(Connection(Conninfo("as_older")).Value("select current_user"), "older");
  // The keys behind a SCRAM secret are not known before a client has shown them.
  EXPECT_THAT(Connection(Conninfo("as_late")).error(), HasSubstr("only a SCRAM secret"));
  EXPECT_TRUE(Connection(Conninfo("shop", "late", "late-secret")).ok());
  EXPECT_EQ(Connection(Conninfo("as_late")).Value("select current_user"), "late");
}

TEST_F(DropIn, TheConsoleAndItsUsersArePgBouncers) {
  WriteUsers("\"late\" \"late-secret\"\n");
  WriteIni("admin_users = app\nstats_users = late, other\nstats_period = 1");
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    const Connection admin(Conninfo("pgbouncer"));
    EXPECT_THAT(admin.Value("show version"), HasSubstr("PgBouncer"));
    EXPECT_TRUE(admin.Exec("reload").ok());
    const Connection watcher(Conninfo("pgbouncer", "late", "late-secret"));
    EXPECT_THAT(watcher.Value("show version"), HasSubstr("PgBouncer"));
    EXPECT_FALSE(watcher.Exec("reload").ok());
    EXPECT_FALSE(Connection(Conninfo("pgweir")).ok());
    EXPECT_TRUE(Within(seconds(5), [this] { return Log().find("stats: ") != std::string::npos; }));
    EXPECT_THAT(Log(),
                testing::ContainsRegex(
                    "stats: [0-9]+ xacts/s, [0-9]+ queries/s, in [0-9]+ B/s, out [0-9]+ B/s, "
                    "xact [0-9]+ us, query [0-9]+ us, wait [0-9]+ us"));
    pooler.Signal(SIGQUIT);
    pooler.WaitExit(seconds(10));
    WriteFile(folder_.File("log/pgbouncer.log"), "");
    chmod(folder_.File("log/pgbouncer.log").c_str(), 0666);
    std::filesystem::remove(PidFile());
  }
}

// --- the evening of docs/from-pgbouncer.md, with the file that Debian's package lays down ---

// The one in its place is not for everybody to read; where documentation is not installed, root
// can.
std::string PackagedIni() {
  std::string text = ReadFile("/usr/share/doc/pgbouncer/examples/pgbouncer.ini");
  return text.empty() ? ReadFile("/etc/pgbouncer/pgbouncer.ini") : text;
}

// Once, where it stands.
void Replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

TEST_F(DropIn, DebiansInstallationIsTakenOverByTheDocumentedSteps) {
  std::string ini = PackagedIni();
  // What has been set up: a database, an admin, secrets as the servers have them.
  const std::string host = fmt::format("host=127.0.0.1 port={}", server().port());
  Replace(ini, "\n;foodb =\n", "\nshop = " + host + "\n");
  Replace(ini, "\n;admin_users = user2, someadmin, otheradmin\n", "\nadmin_users = late\n");
  const std::string secrets = server().Query(
      "select string_agg(format('\"%s\" \"%s\"', rolname, rolpassword), e'\\n') from pg_authid "
      "where rolname in ('app', 'late')");
  WriteFile(folder_.File("etc/userlist.txt"), secrets + "\n");
  // The machine's own folders and port are not this test's.
  Replace(ini, "/var/log/postgresql/", folder_.File("log/"));
  Replace(ini, "/var/run/postgresql/pgbouncer.pid", PidFile());
  Replace(ini, "\nunix_socket_dir = /var/run/postgresql\n",
          "\nunix_socket_dir = " + folder_.File("run") + "\n");
  Replace(ini, "/etc/pgbouncer/userlist.txt", folder_.File("etc/userlist.txt"));
  Replace(ini, "listen_port = 6432", fmt::format("listen_port = {}", port_));
  WriteFile(Ini(), ini);
  const auto psql = [this](const char* user, const char* database, const char* sql) {
    const auto result =
        RunCommand({.argv = {"psql", "-XAtw", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U",
                             user, "-c", sql, database},
                    .env = {fmt::format("PGPASSWORD={}-secret", user)}},
                   seconds(20));
    return fmt::format("{} {}", result.status, result.output);
  };

  ChildProcess old = Start(kPgBouncer);
  EXPECT_EQ(psql("app", "shop", "select current_user"), "0 app\n");
  const CommandResult checked = Run({"check", "--config", Ini()});
  EXPECT_EQ(checked.status, 0);
  EXPECT_EQ(checked.output, Ini() + ": ok\n");
  old.Signal(SIGINT);
  EXPECT_EQ(old.WaitExit(seconds(10)), 0);

  ChildProcess pooler = Start(PgweirBinary());
  EXPECT_EQ(psql("app", "shop", "select current_user"), "0 app\n");
  EXPECT_THAT(psql("late", "pgbouncer", "show databases"), HasSubstr("\nshop|127.0.0.1|"));
  EXPECT_THAT(psql("app", "pgbouncer", "show pools"), testing::StartsWith("2 "));
  Replace(ini, "\nshop = ", "\nmore = " + host + " dbname=shop\nshop = ");
  WriteFile(Ini(), ini);
  EXPECT_EQ(psql("late", "pgbouncer", "reload"), "0 RELOAD\n");
  EXPECT_EQ(psql("app", "more", "select current_database()"), "0 shop\n");
  pooler.Signal(SIGINT);
  EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);

  // And back.
  ChildProcess again = Start(kPgBouncer);
  EXPECT_EQ(psql("app", "more", "select current_database()"), "0 shop\n");
}

TEST_F(DropIn, StartupParametersAreIgnoredAsAsked) {
  WriteIni("ignore_startup_parameters = work_mem\napplication_name_add_host = 1");
  ChildProcess pooler = Start(PgweirBinary());
  const Connection client(Conninfo("shop") +
                          " application_name=mine options='-c work_mem=7MB -c geqo=off'");
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.Value("show work_mem"), "4MB");
  EXPECT_EQ(client.Value("show geqo"), "off");
  EXPECT_THAT(client.Value("show application_name"), HasSubstr("mine - 127.0.0.1:"));
  const Connection alias(Conninfo("alias"));
  EXPECT_EQ(alias.Value("show work_mem"), "5MB");
}

TEST_F(DropIn, AStarWithADatabaseLeadsEveryNameThere) {
  const std::string host = fmt::format("host=127.0.0.1 port={}", server().port());
  WriteIni("", "* = " + host + " dbname=shop");
  for (const std::string& binary : {std::string(kPgBouncer), PgweirBinary()}) {
    SCOPED_TRACE(binary);
    ChildProcess pooler = Start(binary);
    EXPECT_EQ(Connection(Conninfo("whatever")).Value("select current_database()"), "shop");
    pooler.Signal(SIGINT);
    EXPECT_EQ(pooler.WaitExit(seconds(10)), 0);
  }
}

TEST_F(DropIn, TheSocketHasItsMode) {
  WriteIni("unix_socket_mode = 0700");
  ChildProcess pooler = Start(PgweirBinary());
  struct stat socket{};
  ASSERT_EQ(stat(fmt::format("{}/run/.s.PGSQL.{}", folder_.path(), port_).c_str(), &socket), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0700u);
}

}  // namespace
}  // namespace pgweir::test
