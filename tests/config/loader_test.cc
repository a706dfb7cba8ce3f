#include "config/loader.h"

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Loader : public ConfigTest {};

TEST_F(Loader, NeedsNothingButADatabase) {
  const Config config = Good("");
  EXPECT_EQ(config.listen.port, 6432);
  EXPECT_EQ(config.auth.method, AuthMethod::kScramSha256);
  EXPECT_EQ(config.pool.size, 50);
  ASSERT_EQ(config.databases.size(), 1u);
  const Database& app = config.databases.begin()->second;
  EXPECT_EQ(app.name, "app");
  EXPECT_EQ(app.node.name, "app");
  EXPECT_EQ(app.node.primary, "host=h");
  EXPECT_TRUE(app.node.replicas.empty());
}

TEST_F(Loader, ReadsEveryKeyOfListenAuthLogAndProcess) {
  for (const char* name : {"c.pem", "k.pem", "ca.pem"}) Write(name, "");
  const Config config = Good(R"(
[listen]
address = "*"
port = 65535
unix_socket_dir = "/run/pgweir"
workers = 256
max_clients = 1
client_login_timeout = "0s"
unix_socket_mode = 0o750
unix_socket_group = "web"
ignore_startup_parameters = ["Extra_Float_Digits"]
application_name_add_host = true
tcp_keepalive = false
tcp_keepidle = "1m"
tcp_keepintvl = "2s"
tcp_keepcnt = 9
tcp_user_timeout = "3s"
tls = { mode = "verify-full", certificate = "c.pem", key = "k.pem", ca = "./x/../ca.pem" }
[auth]
method = "password"
users_file = "users.txt"
allow_plain_without_tls = true
[log]
level = "warning"
file = "log/weir.log"
syslog = true
syslog_ident = "weir"
syslog_facility = "local7"
connections = true
disconnections = true
stats = false
stats_period = "10s"
[process]
pid_file = "/run/weir.pid"
user = "weir")");
  EXPECT_EQ(config.listen.address, "*");
  EXPECT_EQ(config.listen.port, 65535);
  EXPECT_EQ(config.listen.unix_socket_dir, "/run/pgweir");
  EXPECT_EQ(config.listen.workers, 256);
  EXPECT_EQ(config.listen.max_clients, 1);
  EXPECT_EQ(config.listen.client_login_timeout, seconds(0));
  EXPECT_EQ(config.listen.tls.mode, TlsMode::kVerifyFull);
  EXPECT_EQ(config.listen.tls.certificate, File("c.pem"));
  EXPECT_EQ(config.listen.tls.key, File("k.pem"));
  EXPECT_EQ(config.listen.tls.ca, File("ca.pem"));
  EXPECT_EQ(config.auth.method, AuthMethod::kPassword);
  EXPECT_EQ(config.auth.users_file, File("users.txt"));
  EXPECT_TRUE(config.auth.allow_plain_without_tls);
  EXPECT_EQ(config.listen.unix_socket_mode, 0750);
  EXPECT_EQ(config.listen.unix_socket_group, "web");
  EXPECT_THAT(config.listen.ignore_startup_parameters, ElementsAre("extra_float_digits"));
  EXPECT_TRUE(config.listen.application_name_add_host);
  EXPECT_EQ(config.listen.tcp_keepalive,
            (TcpKeepalive{false, seconds(60), seconds(2), 9, seconds(3)}));
  EXPECT_EQ(config.log.level, LogLevel::kWarning);
  EXPECT_EQ(config.log.file, File("log/weir.log"));
  EXPECT_TRUE(config.log.syslog);
  EXPECT_EQ(config.log.syslog_ident, "weir");
  EXPECT_EQ(config.log.syslog_facility, "local7");
  EXPECT_TRUE(config.log.connections);
  EXPECT_TRUE(config.log.disconnections);
  EXPECT_FALSE(config.log.stats);
  EXPECT_EQ(config.log.stats_period, seconds(10));
  EXPECT_EQ(config.process.pid_file, "/run/weir.pid");
  EXPECT_EQ(config.process.user, "weir");
}

TEST_F(Loader, RefusesWhatTheLogAndTheKernelDoNotKnow) {
  EXPECT_THAT(Fault("[log]\nsyslog_facility = \"mail\""), HasSubstr("2:19: log.syslog_facility"));
  EXPECT_THAT(Fault("[log]\nstats_period = \"0s\""), HasSubstr("at least \"1000ms\""));
  EXPECT_THAT(Fault("[listen]\ntcp_keepidle = \"10h\""), HasSubstr("at most \"9h\""));
}

TEST_F(Loader, ReadsEveryKeyOfAPool) {
  const Pool pool = Good(R"(
[pool]
mode = "statement"
size = 7
overflow = 3
min_size = 2
max_db_connections = 21
max_user_connections = 22
max_node_connections = 23
max_db_client_connections = 24
max_user_client_connections = 1000000
wait_timeout = "1s"
recycle = "2s"
idle_timeout = "3s"
pre_ping = false
server_connect_timeout = "4s"
cleanup_timeout = "1d")")
                        .pool;
  EXPECT_EQ(pool.mode, PoolMode::kStatement);
  EXPECT_EQ(pool.size, 7);
  EXPECT_EQ(pool.overflow, 3);
  EXPECT_EQ(pool.min_size, 2);
  EXPECT_EQ(pool.max_db_connections, 21);
  EXPECT_EQ(pool.max_user_connections, 22);
  EXPECT_EQ(pool.max_node_connections, 23);
  EXPECT_EQ(pool.max_db_client_connections, 24);
  EXPECT_EQ(pool.max_user_client_connections, 1'000'000);
  EXPECT_EQ(pool.wait_timeout, seconds(1));
  EXPECT_EQ(pool.recycle, seconds(2));
  EXPECT_EQ(pool.idle_timeout, seconds(3));
  EXPECT_FALSE(pool.pre_ping);
  EXPECT_EQ(pool.server_connect_timeout, seconds(4));
  EXPECT_EQ(pool.cleanup_timeout, hours(24));
}

TEST_F(Loader, LaysPoolsOverEachOther) {
  const Config config = Good(R"(
[pool]
size = 10
overflow = 1
[databases."*"]
primary = "host=w"
[databases.wide]
primary = "host=w"
pool = { size = 20 }
[users.narrow.pool]
size = 5
mode = "session")");
  const Database& wide = *config.FindDatabase("wide");
  const Database& other = *config.FindDatabase("whatever");
  EXPECT_EQ(other.name, "*");
  EXPECT_EQ(other.pool.size, 10);
  EXPECT_EQ(wide.pool.size, 20);
  EXPECT_EQ(wide.pool.overflow, 1);
  EXPECT_EQ(config.PoolFor(wide, "anybody").size, 20);
  EXPECT_EQ(config.PoolFor(wide, "anybody").mode, PoolMode::kTransaction);
  EXPECT_EQ(config.PoolFor(wide, "narrow").size, 5);
  EXPECT_EQ(config.PoolFor(wide, "narrow").overflow, 1);
  EXPECT_EQ(config.PoolFor(wide, "narrow").mode, PoolMode::kSession);
}

// A cap counts as its own kind's section sets it: a database's for databases, a user's for users.
TEST_F(Loader, TakesCapsFromTheirOwnKind) {
  const Config config = Good(R"(
[pool]
max_db_connections = 10
max_user_connections = 20
max_user_client_connections = 200
[databases.own]
primary = "host=w"
pool = { max_db_connections = 11, max_user_connections = 99, max_db_client_connections = 5 }
[users.own.pool]
max_user_connections = 21
max_db_connections = 99)");
  EXPECT_EQ(config.FindDatabase("own")->pool.max_db_connections, 11);
  EXPECT_EQ(config.FindDatabase("own")->pool.max_db_client_connections, 5);
  EXPECT_EQ(config.FindDatabase("app")->pool.max_db_connections, 10);
  EXPECT_EQ(config.FindDatabase("app")->pool.max_db_client_connections, 0);
  EXPECT_EQ(config.UserPool("own").max_user_connections, 21);
  EXPECT_EQ(config.UserPool("own").max_user_client_connections, 200);
  EXPECT_EQ(config.UserPool("else").max_user_connections, 20);
}

TEST_F(Loader, TakesTheLeastCapOfANodesDatabases) {
  const Config config = Good(R"(
[databases.a]
nodes.shared.primary = "host=w"
pool.max_node_connections = 9
[databases.b]
nodes.shared.primary = "host=w"
pool.max_node_connections = 4
[databases.c]
nodes.shared.primary = "host=w")");
  EXPECT_EQ(config.MaxNodeConnections("shared"), 4);
  EXPECT_EQ(config.MaxNodeConnections("app"), 0);
  EXPECT_EQ(config.MaxNodeConnections("none"), 0);
}

TEST_F(Loader, FindsNoDatabaseWithoutAnEntryOrAStar) {
  EXPECT_EQ(Good("").FindDatabase("other"), nullptr);
}

TEST_F(Loader, ReadsADatabaseOfOneNamedNode) {
  const auto config = ParseText(R"([databases.market.nodes.db_shard_1]
primary = "host=127.0.0.1 port=5501"
replicas = ["host=a", "postgresql://b/market"])");
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  const Node& node = config->FindDatabase("market")->node;
  EXPECT_EQ(node.name, "db_shard_1");
  EXPECT_EQ(node.primary, "host=127.0.0.1 port=5501");
  ASSERT_EQ(node.replicas.size(), 2u);
  EXPECT_EQ(node.replicas[0].conninfo, "host=a");
  EXPECT_EQ(node.replicas[1].conninfo, "postgresql://b/market");
}

TEST_F(Loader, FaultsOfDatabasesNameTheirPlace) {
  EXPECT_EQ(FaultOfAll(""),
            "pgweir.toml:1:1: databases: must have an entry: [databases.NAME] with a primary");
  EXPECT_EQ(FaultOfAll("[databases.a]\nreplicas = [\"host=h\"]"),
            "pgweir.toml:1:1: databases.a: must have a primary, a libpq connection string");
  EXPECT_EQ(FaultOfAll("[databases.a]\nprimary = \" \""),
            "pgweir.toml:2:11: databases.a.primary: must be a libpq connection string, not empty");
  EXPECT_EQ(FaultOfAll("[databases.a]\nprimary = \"a\\u0000b\""),
            "pgweir.toml:2:11: databases.a.primary: must not contain the character U+0000");
  EXPECT_EQ(FaultOfAll("[databases.a]\nprimary = \"x\"\nreplicas = [\"y\",\n \"\"]"),
            "pgweir.toml:4:2: databases.a.replicas: must be a libpq connection string, or "
            "{ conninfo = \"…\", labels = [\"…\"] }");
  EXPECT_EQ(FaultOfAll("[databases]\na = 1"), "pgweir.toml:2:5: databases.a: must be a table");
  EXPECT_EQ(FaultOfAll("[databases.\"\"]\nprimary = \"x\""),
            "pgweir.toml:1:12: databases: a name must not be empty or contain the character "
            "U+0000");
}

TEST_F(Loader, RefusesSeveralNodesWithoutAShardMap) {
  EXPECT_EQ(
      FaultOfAll("[databases.m.nodes]\na = {primary = \"host=a\"}\nb = {primary = \"host=b\"}"),
      "pgweir.toml:1:1: databases.m.nodes: must have one node only, or a shard_map that says what "
      "each holds");
  EXPECT_EQ(FaultOfAll("[databases.m]\nprimary = \"host=a\"\nnodes = {a = {primary = \"b\"}}"),
            "pgweir.toml:3:9: databases.m.nodes: must not stand beside primary or replicas: use "
            "one or the other");
}

struct BadValue {
  const char* text;
  const char* message;
};

TEST_F(Loader, FaultsSayWhereAndWhatWouldBeRight) {
  const BadValue cases[] = {
      {"[listen]\nport = 0",
       "pgweir.toml:2:8: listen.port: must be a whole number from 1 to 65535"},
      {"[listen]\nport = 65536",
       "pgweir.toml:2:8: listen.port: must be a whole number from 1 to 65535"},
      {"[listen]\nport = 9223372036854775807",
       "pgweir.toml:2:8: listen.port: must be a whole number from 1 to 65535"},
      {"[listen]\n  port = \"6432\"",
       "pgweir.toml:2:10: listen.port: must be a whole number from 1 to 65535"},
      {"[listen]\nport = 6432.0",
       "pgweir.toml:2:8: listen.port: must be a whole number from 1 to 65535"},
      {"[listen]\nworkers = -1",
       "pgweir.toml:2:11: listen.workers: must be a whole number from 0 to 256"},
      {"[listen]\nworkers = 257",
       "pgweir.toml:2:11: listen.workers: must be a whole number from 0 to 256"},
      {"[listen]\nmax_clients = 0",
       "pgweir.toml:2:15: listen.max_clients: must be a whole number from 1 to 1000000"},
      {"[listen]\naddress = 1", "pgweir.toml:2:11: listen.address: must be a string"},
      {"[listen]\naddress = \"\"",
       "pgweir.toml:2:11: listen.address: must not be empty without a unix_socket_dir: nothing to "
       "listen on"},
      {"[pool]\npre_ping = 1", "pgweir.toml:2:12: pool.pre_ping: must be true or false"},
      {"[pool]\nsize = 0", "pgweir.toml:2:8: pool.size: must be a whole number from 1 to 100000"},
      {"[pool]\nmax_node_connections = -1",
       "pgweir.toml:2:24: pool.max_node_connections: must be a whole number from 0 to 100000"},
      {"[users.u.pool]\nmax_user_client_connections = 1000001",
       "pgweir.toml:2:31: users.u.pool.max_user_client_connections: must be a whole number from 0 "
       "to 1000000"},
      {"[pool]\noverflow = -1",
       "pgweir.toml:2:12: pool.overflow: must be a whole number from 0 to 100000"},
      {"[pool]\nmode = \"sesion\"",
       "pgweir.toml:2:8: pool.mode: must be one of \"session\", \"transaction\", \"statement\""},
      {"[log]\nlevel = 3",
       "pgweir.toml:2:9: log.level: must be one of \"trace\", \"debug\", \"info\", \"warning\", "
       "\"error\""},
      {"[pool]\nrecycle = 30",
       "pgweir.toml:2:11: pool.recycle: must be a duration such as \"30s\" (a whole number and ms, "
       "s, m, h or d) of at most 365d"},
      {"[pool]\nrecycle = \"400d\"",
       "pgweir.toml:2:11: pool.recycle: must be a duration such as \"30s\" (a whole number and ms, "
       "s, m, h or d) of at most 365d"},
      {"[pool]\ncleanup_timeout = \"0s\"",
       "pgweir.toml:2:19: pool.cleanup_timeout: must be at least \"1ms\""},
      {"[pool]\nserver_connect_timeout = \"0s\"",
       "pgweir.toml:2:26: pool.server_connect_timeout: must be at least \"1ms\""},
      {"pool = 1", "pgweir.toml:1:8: pool: must be a table"},
      {"[auth]\nmethod = \"cert\"",
       "pgweir.toml:2:10: auth.method: \"cert\" needs listen.tls with a mode other than "
       "\"disable\", "
       "and a ca that signs the clients' certificates"},
      {"[auth]\nmethod = \"ldap\"",
       "pgweir.toml:2:10: auth.method: must be one of \"trust\", \"password\", \"md5\", "
       "\"scram-sha-256\", \"cert\", \"hba\""},
      {"# ü\n\"ü\" = 1", "pgweir.toml:2:1: unknown key \"ü\""},
      {"[listen]\nport = 1 1",
       "pgweir.toml:2:10: not valid TOML: Error while parsing key-value pair: expected a comment "
       "or whitespace, saw '1'"},
  };
  for (const BadValue& bad : cases) EXPECT_EQ(Fault(bad.text), bad.message) << bad.text;
}

TEST_F(Loader, ProposesTheNearestKeyForAnUnknownOne) {
  EXPECT_EQ(Fault("[pool]\nsise = 1"),
            "pgweir.toml:2:1: unknown key pool.sise; did you mean pool.size?");
  EXPECT_EQ(Fault("[listen.tls]\ncertficate = \"\""),
            "pgweir.toml:2:1: unknown key listen.tls.certficate; did you mean "
            "listen.tls.certificate?");
  EXPECT_EQ(Fault("[listne]\nport = 1"),
            "pgweir.toml:1:2: unknown key listne; did you mean listen?");
  EXPECT_EQ(Fault("[users.u.pool]\nmin-size = 1"),
            "pgweir.toml:2:1: unknown key users.u.pool.min-size; did you mean "
            "users.u.pool.min_size?");
  EXPECT_EQ(Fault("[pool]\nzzzzzz = 1"), "pgweir.toml:2:1: unknown key pool.zzzzzz");
  EXPECT_EQ(FaultOfAll("[databases.app]\nprimary = \"x\"\nreplica = []"),
            "pgweir.toml:3:1: unknown key databases.app.replica; did you mean "
            "databases.app.replicas?");
}

TEST_F(Loader, ReportsAllFaultsInTheOrderOfTheFile) {
  EXPECT_EQ(Fault("[pool]\nsize = 0\n[listen]\nprot = 1\nport = 0"),
            "pgweir.toml:2:8: pool.size: must be a whole number from 1 to 100000\n"
            "pgweir.toml:4:1: unknown key listen.prot; did you mean listen.port?\n"
            "pgweir.toml:5:8: listen.port: must be a whole number from 1 to 65535");
  std::string many = "[pool]\n";
  for (int i = 0; i < 25; ++i) many += fmt::format("zzzzzzzz{} = 1\n", i);
  EXPECT_THAT(Fault(many), HasSubstr("\npgweir.toml: 5 more errors"));
}

TEST_F(Loader, KeepsMinSizeWithinSizeWhereverTheyMeet) {
  EXPECT_EQ(Fault("[pool]\nsize = 5\nmin_size = 6"),
            "pgweir.toml:3:12: pool.min_size: min_size (6) must not exceed size (5)");
  EXPECT_EQ(Good("[pool]\nsize = 5\nmin_size = 5").pool.min_size, 5);
  EXPECT_EQ(Fault("[pool]\nmin_size = 9\n[databases.b]\nprimary = \"x\"\npool.size = 8"),
            "pgweir.toml:5:13: databases.b.pool.size: min_size (9) must not exceed size (8)");
  EXPECT_EQ(Fault("[pool]\nmin_size = 9\n[users.u.pool]\nsize = 8"),
            "pgweir.toml:4:8: users.u.pool.size: min_size (9) must not exceed size (8) in "
            "databases.app");
}

TEST_F(Loader, NeedsReadableFilesForTheTlsModeInUse) {
  Write("c.pem", "");
  EXPECT_EQ(Good("[listen.tls]\ncertificate = \"absent\"").listen.tls.certificate, File("absent"));
  EXPECT_EQ(Fault("[listen.tls]\nmode = \"allow\""),
            "pgweir.toml:1:1: listen.tls.certificate: must name a PEM file for this tls.mode\n"
            "pgweir.toml:1:1: listen.tls.key: must name a PEM file for this tls.mode");
  EXPECT_EQ(Fault("[listen.tls]\nmode = \"require\"\ncertificate = \"c.pem\"\nkey = \"k.pem\""),
            "pgweir.toml:4:7: listen.tls.key: k.pem cannot be read: No such file or directory");
  EXPECT_EQ(Fault("[listen.tls]\nmode = \"verify-ca\"\ncertificate = \"c.pem\"\nkey = \"c.pem\""),
            "pgweir.toml:1:1: listen.tls.ca: must name a PEM file for this tls.mode");
}

TEST_F(Loader, NeedsTheUsersFileUnlessEverybodyIsTrusted) {
  std::filesystem::remove(File("users.txt"));
  EXPECT_EQ(Fault("[auth]\nmethod = \"md5\""),
            "pgweir.toml:1:1: auth.users_file: users.txt cannot be read: No such file or "
            "directory");
  EXPECT_EQ(Good("[auth]\nmethod = \"trust\"").auth.users_file, "");
  EXPECT_EQ(Good("[auth]\nusers_file = \"\"").auth.users_file, "");
  EXPECT_EQ(Fault("[auth]\nmethod = \"trust\"\nusers_file = \"other.txt\""),
            "pgweir.toml:3:14: auth.users_file: other.txt cannot be read: No such file or "
            "directory");
}

TEST_F(Loader, ReportsTheUsersFilesOwnFaults) {
  Write("users.txt", "\"app\" secret\n");
  EXPECT_EQ(Fault(""), "users.txt:1:7: expected a secret in double quotes");
}

TEST_F(Loader, BoundsTheLengthOfASocketFolder) {
  const std::string folder = "/" + std::string(91, 'x');
  EXPECT_EQ(Good("[listen]\nunix_socket_dir = \"" + folder + "\"").listen.unix_socket_dir, folder);
  EXPECT_THAT(Fault("[listen]\nunix_socket_dir = \"" + folder + "x\""),
              HasSubstr("pgweir.toml:2:19: listen.unix_socket_dir: must have at most 92"));
}

TEST_F(Loader, ReadsTheConsole) {
  const Config config = Good(R"(
[admin]
database = "console"
users = ["a", "b"]
stats_users = ["c"]
old_columns = true
[databases.market]
primary = "host=m")");
  EXPECT_EQ(config.admin.users, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.admin.stats_users, std::vector<std::string>{"c"});
  EXPECT_TRUE(config.admin.old_columns);
  EXPECT_TRUE(config.IsConsole("console"));
  EXPECT_TRUE(config.IsConsole("pgbouncer"));
  EXPECT_FALSE(config.IsConsole("pgweir"));
  EXPECT_FALSE(config.IsConsole("market"));
}

TEST_F(Loader, ConsolesNamesAreNoDatabases) {
  for (const char* name : {"pgweir", "pgbouncer"}) {
    EXPECT_THAT(FaultOfAll(fmt::format("[databases.{}]\nprimary = \"host=h\"", name)),
                HasSubstr("is the console's name: see admin.database"));
  }
  EXPECT_THAT(Fault("[admin]\ndatabase = \"*\""),
              HasSubstr("admin.database: must be the name of a database"));
}

TEST_F(Loader, AcceptsKeysOfLaterVersionsAtTheirStandardValueOnly) {
  Good(R"(
[pool]
max_prepared_statements = 200
[admin]
http = "127.0.0.1:9632"
[slow_log]
path = "log/slow.json"
threshold = "100ms"
redact = "none"
[cache]
enabled = false
max_bytes = "256MiB"
max_entry_bytes = "1MiB"
redis = ""
redis_timeout = "20ms"
wal = false
[databases.market]
primary = "host=m")");
  const BadValue cases[] = {
      {"[cache]\nwal = true",
       "pgweir.toml:2:7: key cache.wal is not served by this version; leave it out"},
      {"[admin]\nhttp = \"9632\"",
       "pgweir.toml:2:8: admin.http: must be an address and a port: \"127.0.0.1:9632\", "
       "\"[::1]:9632\""},
      {"[admin]\nhttp_key = \"key.pem\"",
       "pgweir.toml:1:1: admin.http_certificate: must be set too: TLS needs a certificate and its "
       "key"},
      {"[cache]\nenabled = \"no\"", "pgweir.toml:2:11: cache.enabled: must be true or false"},
      {"[slow_log]\nplan = true",
       "pgweir.toml:2:1: unknown key slow_log.plan; did you mean slow_log.plans?"},
  };
  for (const BadValue& bad : cases) EXPECT_EQ(Fault(bad.text), bad.message) << bad.text;
}

TEST_F(Loader, FaultsNeverShowAValue) {
  for (const char* primary :
       {"host=h password=hunter2", "hunter2", "\"hunter2", "99999999999999999999", "'x' hunter2",
        "\"x\" \"hunter2\"", "[\"hunter2\"]", "{ hunter2 = 1 ", "\"hunter2\\u0000\"",
        "truhunter2"}) {
    const std::string message = FaultOfAll(fmt::format("[databases.a]\nprimary = {}\n", primary));
    EXPECT_NE(message, "no error") << primary;
    EXPECT_THAT(message, Not(HasSubstr("hunter"))) << primary;
    EXPECT_THAT(message, Not(HasSubstr("9999"))) << primary;
  }
}

TEST_F(Loader, ShowsNamesWithoutTheirControlCharacters) {
  EXPECT_EQ(Fault("\"a\\nb\" = 1"), "pgweir.toml:1:1: unknown key \"a?b\"");
  EXPECT_EQ(Fault(std::string(100, 'a') + " = 1"),
            "pgweir.toml:1:1: unknown key \"" + std::string(64, 'a') + "...\"");
}

TEST_F(Loader, StandsDeepNesting) {
  std::string dotted = "a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  EXPECT_EQ(Fault("\n[" + dotted + "]"),
            "pgweir.toml:2:515: more than 256 dots in one line; break it up");
  EXPECT_THAT(Fault("a = " + std::string(100'000, '[')), HasSubstr("nested value depth"));
  std::string nested = "a = ";
  for (int i = 0; i < 15; ++i) nested += "[{" + dotted.substr(0, 500) + " =\n";
  EXPECT_NE(Fault(nested), "no error");
}

TEST_F(Loader, StandsAnyFirstCharacterOfATablesName) {
  constexpr const char* kMessage = "not valid TOML: unexpected character at the start of a name";
  EXPECT_EQ(FaultOfAll("[\n[a]"), fmt::format("pgweir.toml:1:2: {}", kMessage));
  EXPECT_EQ(FaultOfAll("# \u00fc\n[ =]"), fmt::format("pgweir.toml:2:3: {}", kMessage));
  EXPECT_EQ(FaultOfAll("a = \"\u00fc\" # \u00fc\n[[#]]"),
            fmt::format("pgweir.toml:2:3: {}", kMessage));
  for (int c = 0; c < 256; ++c) {
    const std::string text = fmt::format("[{0}]\n[[{0}]]", static_cast<char>(c));
    EXPECT_NE(FaultOfAll(text), "no error") << c;
  }
}

TEST_F(Loader, TakesCharactersBeyondAsciiInStringsAndCommentsOnly) {
  Good(
      "# \u00e9\n[listen] # \u00e9\naddress = \"\u00e9\\\"\u00e9\"\nunix_socket_dir = '/\u00e9\\'");
  Good("[listen]\naddress = \"\"\"\u00e9\n\u00e9\\\"\"\"\"\"\" # \u00e9\n");
  Good("[listen]\nunix_socket_dir = '''/\u00e9'\n\u00e9'''''\naddress = '' # '\u00e9");
  for (const char* text : {"[listen]\nport \u00e9= 1", "[listen]\naddress = \"\"\u00e9",
                           "[listen]\naddress = ''''''\u00e9", "[listen]\nworkers = \u00e9",
                           "[listen]\naddress = '\\'\u00e9"}) {
    EXPECT_THAT(Fault(text), HasSubstr("pgweir.toml:2:")) << text;
  }
}

TEST_F(Loader, LoadReadsTheFile) {
  Write("pgweir.toml", kDatabase);
  const auto config = Load(Path());
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  EXPECT_EQ(config->auth.users_file, File("users.txt"));
  EXPECT_EQ(MessageOf(Load(File("absent.toml")).status()),
            File("absent.toml") + ":1:1: cannot be read: No such file or directory");
  EXPECT_EQ(MessageOf(Load(File("")).status()), File("") + ":1:1: is not a regular file");
}

TEST_F(Loader, NamesWhatOnlyARestartChanges) {
  const Config current = Good("");
  EXPECT_THAT(NeedRestart(current, Good("[listen]\nmax_clients = 5\n[pool]\nsize = 3")),
              ElementsAre());
  const Config next = Good(
      "[listen]\naddress = \"*\"\nport = 1\nunix_socket_dir = \"/tmp\"\nworkers = 1\n"
      "[log]\nlevel = \"debug\"");
  EXPECT_THAT(NeedRestart(current, next),
              ElementsAre("listen.address", "listen.port", "listen.unix_socket_dir",
                          "listen.workers", "log.level"));
}

TEST_F(Loader, ReadsPeers) {
  const Config config = Good("[listen]\npeer_id = 1\n[peers.2]\nhost = \"h\"\nport = 7\n");
  EXPECT_EQ(config.peer_id, 1);
  EXPECT_EQ(config.peers.at(2).host, "h");
  EXPECT_EQ(config.peers.at(2).port, 7);
  EXPECT_THAT(Fault("[peers.x]\nhost = \"h\"\n"),
              HasSubstr("1:1: peers.x: must be named by a peer_id, from 1 to 16383"));
  EXPECT_THAT(Fault("[peers.2]\nport = 7\n"), HasSubstr("must be a name, an address"));
  EXPECT_THAT(Fault("[peers.2]\nhost = \"h\"\nprot = 7\n"), HasSubstr("did you mean"));
}

}  // namespace
}  // namespace pgweir::config
