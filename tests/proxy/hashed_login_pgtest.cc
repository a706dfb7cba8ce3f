// Logins to servers as users of whom pgweir knows only what a server keeps of a password: an md5
// secret, or a SCRAM verifier with the keys that a client has proved.

#include <thread>

#include "fmt/format.h"
#include "tests/support/certificate.h"
#include "tests/support/gate.h"
#include "tests/support/proxy_test.h"
#include "tests/support/refusing_server.h"

namespace pgweir::test {
namespace {

using std::chrono::seconds;

constexpr const char* kScram = "method = \"scram-sha-256\"\nusers_file = \"users.txt\"";
constexpr const char* kTrust = "method = \"trust\"\nusers_file = \"users.txt\"";
constexpr const char* kMd5 = "method = \"md5\"\nusers_file = \"users.txt\"";

const std::vector<std::string> kHba = {
    "host all scott 127.0.0.1/32 scram-sha-256", "host all mary 127.0.0.1/32 md5",
    "host all tom 127.0.0.1/32 password", "host all all 127.0.0.1/32 trust"};

constexpr const char* kRoles =
    "create role scott login password 'tiger';"
    "create role tom login password 'thumb';"
    "set password_encryption = 'md5'; create role mary login password 'wonder';";

std::string SecretOf(const PostgresServer& server, std::string_view user) {
  return server.Query(fmt::format("select rolpassword from pg_authid where rolname = '{}'", user));
}

// A users file with the server's own secrets.
std::string UsersOf(const PostgresServer& server) {
  std::string text;
  for (const char* user : {"scott", "tom", "mary"}) {
    text += fmt::format("\"{}\" \"{}\"\n", user, SecretOf(server, user));
  }
  return text;
}

class HashedLogin : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<PostgresServer>(PostgresOptions{.hba = kHba, .tls = true});
    server_->Query(kRoles);
  }
  static void TearDownTestSuite() { server_.reset(); }

  PgweirOptions Options(const char* auth, std::string_view more_conninfo = "") const {
    return {.auth = auth,
            .pool = "size = 3\nwait_timeout = \"3s\"",
            .databases = DatabaseToml("*", server_->port(), more_conninfo),
            .users = UsersOf(*server_)};
  }

  static std::string Certificate() { return server_->certificate(); }

  static std::unique_ptr<PostgresServer> server_;
};

std::unique_ptr<PostgresServer> HashedLogin::server_;

std::string Conninfo(const PgweirProcess& process, std::string_view user,
                     std::string_view password) {
  return fmt::format("{} password={}", process.Conninfo(user), password);
}

void ExpectWorks(const Connection& client, std::string_view user) {
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.Value("select session_user"), user);
  EXPECT_EQ(client.ExecParams("select $1::int + 1", {"41"}).Value(), "42");
}

TEST_F(HashedLogin, ScramClientIsLoggedInByItsKeys) {
  PgweirProcess process(Options(kScram));
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
  EXPECT_EQ(Connection(Conninfo(process, "scott", "lion")).refusal(), "28P01");
}

TEST_F(HashedLogin, Md5ClientIsLoggedInByItsSecret) {
  PgweirProcess process(Options(kMd5));
  ExpectWorks(Connection(Conninfo(process, "mary", "wonder")), "mary");
  // Method md5 asks for SCRAM where the secret is one.
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
}

TEST_F(HashedLogin, PasswordInClearGivesTheKeysToo) {
  PgweirProcess process(
      Options("method = \"password\"\nusers_file = \"users.txt\"\nallow_plain_without_tls = true"));
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
  ExpectWorks(Connection(Conninfo(process, "mary", "wonder")), "mary");
}

TEST_F(HashedLogin, TrustedMd5ClientNeedsNoKeys) {
  PgweirProcess process(Options(kTrust));
  ExpectWorks(Connection(process.Conninfo("mary")), "mary");
}

// Whoever came without SCRAM has proved nothing that a server would take.
TEST_F(HashedLogin, TrustedScramClientIsToldWhatIsMissing) {
  PgweirProcess process(Options(kTrust));
  Connection client(process.Conninfo("scott"));
  EXPECT_EQ(client.refusal(), "28000") << client.error();
  for (const char* part : {"node \"*\"", "\"scott\"", "scram-sha-256", "user and password"}) {
    EXPECT_NE(client.error().find(part), std::string::npos) << part << ": " << client.error();
  }
}

TEST_F(HashedLogin, TrustedScramClientUsesTheLoginOfTheNode) {
  PgweirProcess process(Options(kTrust, "user=scott password=tiger"));
  ExpectWorks(Connection(process.Conninfo("mary")), "scott");
}

TEST_F(HashedLogin, ServerThatAsksForThePasswordItselfIsRefused) {
  PgweirProcess process(Options(kScram));
  Connection client(Conninfo(process, "tom", "thumb"));
  EXPECT_EQ(client.refusal(), "28000") << client.error();
  EXPECT_NE(client.error().find("the password itself"), std::string::npos) << client.error();
}

// The very same password, but the server has hashed it with a salt of its own.
TEST_F(HashedLogin, AnotherSaltOnANodeIsNamed) {
  PostgresServer other({.hba = kHba});
  other.Query(kRoles);
  PgweirOptions options = Options(kScram);
  options.databases = DatabaseToml("postgres", server_->port()) +
                      fmt::format(
                          "[databases.app.nodes.second]\nprimary = \"host=127.0.0.1 port={} "
                          "dbname=postgres\"\n",
                          other.port());
  PgweirProcess process(options);
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
  Connection client(process.Conninfo("scott", "app") + " password=tiger");
  EXPECT_EQ(client.refusal(), "28P01") << client.error();
  for (const char* part : {"node \"second\"", "\"scott\"", "salt", "same secret"}) {
    EXPECT_NE(client.error().find(part), std::string::npos) << part << ": " << client.error();
  }
}

// Same salt and iterations, other keys: the server refuses the proof.
TEST_F(HashedLogin, RefusedProofNamesTheNode) {
  PostgresServer other({.hba = kHba});
  std::string secret = SecretOf(*server_, "scott");
  std::swap(secret[secret.find(':', 20) - 5], secret[secret.find(':', 20) - 6]);
  other.Query(fmt::format("create role scott login password '{}'", secret));
  PgweirOptions options = Options(kScram);
  options.databases = DatabaseToml("*", other.port());
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.refusal(), "28P01") << client.error();
  EXPECT_NE(client.error().find("password authentication failed for user \"scott\""),
            std::string::npos)
      << client.error();
  EXPECT_NE(client.error().find("node \"*\""), std::string::npos) << client.error();
}

TEST_F(HashedLogin, RefusedMd5SecretNamesTheNode) {
  PgweirOptions options = Options(kTrust);
  options.users = "\"mary\" \"md5" + std::string(32, '0') + "\"\n";
  PgweirProcess process(options);
  Connection client(process.Conninfo("mary"));
  EXPECT_EQ(client.refusal(), "28P01") << client.error();
  EXPECT_NE(client.error().find("node \"*\""), std::string::npos) << client.error();
}

TEST_F(HashedLogin, SecretsAreNotLogged) {
  PgweirProcess process(Options(kScram));
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
  EXPECT_EQ(process.log().find("SCRAM-SHA-256$"), std::string::npos);
}

// --- what such a backend can do ---

TEST_F(HashedLogin, CancelReachesTheServer) {
  for (const char* tls : {"sslmode=disable", "sslmode=require"}) {
    PgweirProcess process(Options(kScram, tls));
    Connection client(Conninfo(process, "scott", "tiger"));
    ASSERT_TRUE(client.ok()) << client.error();
    client.Send("select pg_sleep(30)");
    EXPECT_FALSE(client.Ready(200));
    EXPECT_EQ(client.Cancel(), "");
    ASSERT_TRUE(client.Ready(5000)) << tls;
    EXPECT_EQ(client.Next()->sqlstate(), "57014");
    EXPECT_FALSE(client.Next());
    EXPECT_EQ(client.Value("select 1"), "1");
    EXPECT_EQ(process.log().find("cancel request failed"), std::string::npos) << tls;
  }
}

TEST_F(HashedLogin, BackendsArePooledWithTheirPreparedStatements) {
  PgweirProcess process(Options(kScram));
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<Connection>(Conninfo(process, "scott", "tiger")));
    ASSERT_TRUE(clients.back()->ok()) << clients.back()->error();
    PQclear(PQprepare(clients.back()->get(), "twice", "select $1::int * 2", 1, nullptr));
  }
  for (int i = 0; i < 30; ++i) {
    const std::string value = std::to_string(i);
    const char* values[] = {value.c_str()};
    const Result twice(PQexecPrepared(clients[static_cast<size_t>(i) % 6]->get(), "twice", 1,
                                      values, nullptr, nullptr, 0));
    EXPECT_EQ(twice.Value(), std::to_string(2 * i));
  }
  EXPECT_LE(server_->CountBackends("usename = 'scott'"), 3);
  EXPECT_GE(server_->CountBackends("usename = 'scott'"), 1);
}

TEST_F(HashedLogin, EndedBackendIsReplacedUnseen) {
  PgweirProcess process(Options(kScram));
  Connection client(Conninfo(process, "scott", "tiger"));
  const std::string before = client.Value("select pg_backend_pid()");
  server_->Query("select pg_terminate_backend(" + before + ")");
  ASSERT_TRUE(server_->WaitBackends(0, seconds(5), "usename = 'scott'"));
  EXPECT_NE(client.Value("select pg_backend_pid()"), before);
}

TEST_F(HashedLogin, EndOfPgweirEndsItsBackendsInOrder) {
  {
    PgweirProcess process(Options(kScram, "sslmode=require"));
    ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
    EXPECT_GE(server_->CountBackends("usename = 'scott'"), 1);
  }
  EXPECT_TRUE(server_->WaitBackends(0, seconds(5), "usename = 'scott'"));
}

TEST_F(HashedLogin, MinSizeWaitsForTheFirstClientAndIsKept) {
  PgweirOptions options = Options(kScram);
  options.pool = "size = 3\nmin_size = 2";
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_TRUE(server_->WaitBackends(2, seconds(5), "usename = 'scott'"));
}

TEST_F(HashedLogin, CatalogIsReadBySuchALoginToo) {
  PgweirProcess process(Options(kScram));
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
  EXPECT_TRUE(process.WaitLog("catalog read"));
  EXPECT_EQ(process.log().find("could not read the catalog"), std::string::npos);
}

// --- secrets that change ---

TEST_F(HashedLogin, NewSecretOnServerAndInUsersFileServesOldAndNewClients) {
  PostgresServer own({.hba = kHba});
  own.Query(kRoles);
  PgweirOptions options = Options(kScram);
  options.databases = DatabaseToml("*", own.port());
  options.users = UsersOf(own);
  PgweirProcess process(options);
  Connection old(Conninfo(process, "scott", "tiger"));
  ExpectWorks(old, "scott");

  own.Query("alter role scott password 'leopard'");
  options.users = UsersOf(own);
  process.Rewrite(options);
  ASSERT_TRUE(process.Reload());
  // Its backend is logged in already, and stays.
  EXPECT_EQ(old.Value("select 1"), "1");
  own.Query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'scott'");
  ASSERT_TRUE(own.WaitBackends(0, seconds(5), "usename = 'scott'"));
  Result unlucky = old.Exec("select 1");
  EXPECT_EQ(unlucky.sqlstate(), "28000") << unlucky.message();
  EXPECT_NE(unlucky.message().find("secret has changed"), std::string::npos) << unlucky.message();

  EXPECT_EQ(Connection(Conninfo(process, "scott", "tiger")).refusal(), "28P01");
  ExpectWorks(Connection(Conninfo(process, "scott", "leopard")), "scott");
}

TEST_F(HashedLogin, ReloadWithTheSameSecretKeepsTheKeys) {
  PgweirProcess process(Options(kScram));
  Connection client(Conninfo(process, "scott", "tiger"));
  ExpectWorks(client, "scott");
  ASSERT_TRUE(process.Reload());
  server_->Query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'scott'");
  ASSERT_TRUE(server_->WaitBackends(0, seconds(5), "usename = 'scott'"));
  EXPECT_EQ(client.Value("select 1"), "1");
}

// --- towards the server ---

TEST_F(HashedLogin, VerifyFullIsUnderTlsAndBoundToTheChannel) {
  PgweirProcess process(
      Options(kScram, "sslmode=verify-full channel_binding=require sslrootcert=" + Certificate()));
  Connection client(Conninfo(process, "scott", "tiger"));
  ExpectWorks(client, "scott");
  EXPECT_EQ(client.Value("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), "t");
  const std::string value(3'000'000, 'v');
  EXPECT_EQ(client.Value("select length('" + value + "')"), "3000000");
  EXPECT_EQ(client.Value("select repeat('v', 3000000)"), value);
}

TEST_F(HashedLogin, VerifyFullRefusesAnotherName) {
  PgweirOptions options = Options(kScram);
  options.databases = fmt::format(
      "[databases.\"*\"]\nprimary = \"host=localhost hostaddr=127.0.0.1 port={} "
      "sslmode=verify-full sslrootcert={}\"\n",
      server_->port(), Certificate());
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.refusal(), "08001") << client.error();
  EXPECT_NE(client.error().find("not for host \"localhost\""), std::string::npos) << client.error();
}

TEST_F(HashedLogin, VerifyCaRefusesAnotherAuthority) {
  TempFolder folder("authority");
  MakeCertificate(folder.path(), "other", "127.0.0.1");
  PgweirProcess process(
      Options(kScram, "sslmode=verify-ca sslrootcert=" + folder.File("other.crt")));
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.refusal(), "08001") << client.error();
  EXPECT_NE(client.error().find("certificate verify failed"), std::string::npos) << client.error();
}

TEST_F(HashedLogin, ChannelBindingThatMustBeIsMissedWithoutTls) {
  PgweirProcess process(Options(kScram, "sslmode=disable channel_binding=require"));
  EXPECT_EQ(Connection(Conninfo(process, "scott", "tiger")).refusal(), "28000");
}

TEST_F(HashedLogin, KeywordThatCanNotBeHonouredIsNamed) {
  PgweirProcess process(Options(kScram, "requirepeer=postgres"));
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_NE(client.error().find("requirepeer"), std::string::npos) << client.error();
}

TEST_F(HashedLogin, SslModesFindWhatTheServerAllows) {
  PostgresServer tls_only({.hba = {"hostssl all scott 127.0.0.1/32 scram-sha-256"}, .tls = true});
  PostgresServer plain_only(
      {.hba = {"hostnossl all scott 127.0.0.1/32 scram-sha-256"}, .tls = true});
  PostgresServer no_tls({.hba = {"host all scott 127.0.0.1/32 scram-sha-256"}});
  const std::string create =
      fmt::format("create role scott login password '{}'", SecretOf(*server_, "scott"));
  for (PostgresServer* server : {&tls_only, &plain_only, &no_tls}) server->Query(create);
  PgweirOptions options = Options(kScram);
  options.databases = "";
  const auto add = [&](const std::string& name, const PostgresServer& server, const char* mode) {
    options.databases +=
        DatabaseToml(name, server.port(), fmt::format("dbname=postgres sslmode={}", mode));
  };
  for (const char* mode : {"disable", "allow", "prefer", "require"}) {
    add(fmt::format("t_{}", mode), tls_only, mode);
    add(fmt::format("p_{}", mode), plain_only, mode);
    add(fmt::format("n_{}", mode), no_tls, mode);
  }
  PgweirProcess process(options);
  const auto refusal = [&](const char* database) {
    return Connection(process.Conninfo("scott", database) + " password=tiger").refusal();
  };
  for (const char* works : {"t_allow", "t_prefer", "t_require", "p_disable", "p_allow", "p_prefer",
                            "n_disable", "n_allow", "n_prefer"}) {
    EXPECT_EQ(refusal(works), "") << works;
  }
  EXPECT_EQ(refusal("t_disable"), "28000");
  EXPECT_EQ(refusal("p_require"), "28000");
  EXPECT_EQ(refusal("n_require"), "08001");
}

TEST_F(HashedLogin, FirstHostThatIsDownIsPassedOver) {
  const int nobody = FreePort();
  PgweirOptions options = Options(kScram);
  options.databases = fmt::format(
      "[databases.\"*\"]\nprimary = \"host=127.0.0.1,127.0.0.1 port={},{} "
      "target_session_attrs=read-write\"\n",
      nobody, server_->port());
  PgweirProcess process(options);
  ExpectWorks(Connection(Conninfo(process, "scott", "tiger")), "scott");
}

TEST_F(HashedLogin, UnreachableServersAreAllNamed) {
  PgweirOptions options = Options(kScram);
  options.databases = fmt::format("[databases.\"*\"]\nprimary = \"host=127.0.0.1,{} port={}\"\n",
                                  "/nowhere", FreePort());
  options.pool = "wait_timeout = \"500ms\"";
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.refusal(), "08001");
  EXPECT_NE(client.error().find("127.0.0.1"), std::string::npos) << client.error();
  EXPECT_NE(client.error().find("/nowhere/.s.PGSQL."), std::string::npos) << client.error();
}

TEST_F(HashedLogin, UnixSocketServes) {
  PgweirOptions options = Options(kScram);
  options.databases = fmt::format("[databases.\"*\"]\nprimary = \"host={} port={}\"\n",
                                  server_->socket_folder(), server_->port());
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  ExpectWorks(client, "scott");
  EXPECT_EQ(client.Value("select inet_server_addr() is null"), "t");
}

TEST_F(HashedLogin, ReadWriteIsNotFoundOnAServerThatIsReadOnly) {
  PostgresServer read_only({.hba = kHba, .settings = {"default_transaction_read_only = on"}});
  read_only.Query(fmt::format("begin read write; create role scott login password '{}'; commit",
                              SecretOf(*server_, "scott")));
  PgweirOptions options = Options(kScram);
  options.databases =
      DatabaseToml("postgres", read_only.port(), "target_session_attrs=read-write") +
      DatabaseToml("two", read_only.port(), "dbname=postgres target_session_attrs=read-only");
  options.pool = "wait_timeout = \"500ms\"";
  PgweirProcess process(options);
  EXPECT_EQ(Connection(Conninfo(process, "scott", "tiger")).refusal(), "08001");
  EXPECT_EQ(Connection(process.Conninfo("scott", "two") + " password=tiger").refusal(), "");
}

// Rule 19: the server's own refusal, with its SQLSTATE.
TEST_F(HashedLogin, ServerRefusalIsForwarded) {
  PgweirProcess process(Options(kScram));
  Connection client(process.Conninfo("scott", "nowhere") + " password=tiger");
  EXPECT_EQ(client.refusal(), "3D000") << client.error();
  EXPECT_NE(client.error().find("database \"nowhere\" does not exist"), std::string::npos);
}

TEST_F(HashedLogin, OptionsAndApplicationNameOfTheNodeHold) {
  PgweirOptions options = Options(kScram);
  options.databases = fmt::format(
      "[databases.\"*\"]\nprimary = \"host=127.0.0.1 port={} application_name=own "
      "options='-c work_mem=5MB'\"\n",
      server_->port());
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.Value("show work_mem"), "5MB");
  EXPECT_EQ(client.Value("show application_name"), "own");
}

TEST_F(HashedLogin, ReplicationConnectionIsLoggedInTheSameWay) {
  PostgresServer own({.hba = {"host all,replication scott 127.0.0.1/32 scram-sha-256"},
                      .settings = {"wal_level = replica", "max_wal_senders = 3"}});
  own.Query(fmt::format("create role scott login replication password '{}'",
                        SecretOf(*server_, "scott")));
  PgweirOptions options = Options(kScram);
  options.databases = DatabaseToml("*", own.port());
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger") + " replication=database");
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.Exec("IDENTIFY_SYSTEM").rows(), 1);
}

// --- servers that behave ill ---

class IllServer : public HashedLogin, public testing::WithParamInterface<const char*> {};

TEST_P(IllServer, IsReportedAndHarmless) {
  std::string answer = GetParam();
  if (answer == "oversized") answer = std::string("R\x7f\xff\xff\xff", 5);
  if (answer == "unfinished") answer = std::string("R\0\0\0\x08", 5);
  RefusingServer server(answer);
  PgweirOptions options = Options(kScram);
  options.databases = DatabaseToml("*", server.port(), "sslmode=disable");
  options.pool = "wait_timeout = \"500ms\"";
  PgweirProcess process(options);
  Connection client(Conninfo(process, "scott", "tiger"));
  EXPECT_EQ(client.refusal().substr(0, 2), "08") << client.error();
  EXPECT_TRUE(process.Running());
  EXPECT_GE(server.asked(), 1);
}

INSTANTIATE_TEST_SUITE_P(Each, IllServer,
                         testing::Values("", "HTTP/1.1 400 Bad Request\r\n\r\n", "oversized",
                                         "unfinished", "ESSSSSS"));

// The connection is cut or stops at each message of the start-up in turn.
TEST_F(HashedLogin, EndInTheMiddleOfAStartupIsMended) {
  Gate gate(server_->port());
  PgweirOptions options = Options(kScram, "sslmode=disable");
  options.databases = DatabaseToml("*", gate.port(), "sslmode=disable");
  options.pool = "wait_timeout = \"5s\"\nserver_connect_timeout = \"300ms\"";
  for (const char type : {'R', 'S', 'K', 'Z'}) {
    for (const Cut cut : {Cut::kReset, Cut::kFreeze}) {
      PgweirProcess process(options);
      gate.Arm({.side = Side::kToClient, .type = type, .after = false, .cut = cut});
      Connection client(Conninfo(process, "scott", "tiger"));
      EXPECT_TRUE(client.ok()) << type << ": " << client.error();
      EXPECT_TRUE(gate.fired()) << type;
      gate.CutAll();
    }
  }
}

}  // namespace
}  // namespace pgweir::test
