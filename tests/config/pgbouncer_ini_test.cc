#include "config/pgbouncer_ini.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "config/connect_query.h"
#include "tests/config/config_fixture.h"

// PgBouncer's configuration file as pgweir reads it.

namespace pgweir::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PgBouncerIni : public ConfigTest {
 protected:
  std::string IniPath() const { return File("pgbouncer.ini"); }

  StatusOr<Config> Read(std::string_view text) const { return Parse(text, IniPath()); }
  // Read with these lines in [pgbouncer] and one database.
  Config General(std::string_view lines) const {
    return GoodIni("[databases]\napp = host=h\n[pgbouncer]\n" + std::string(lines) + "\n");
  }
  // Read with these lines in [databases].
  Config Databases(std::string_view lines, std::string_view general = "") const {
    return GoodIni("[pgbouncer]\n" + std::string(general) + "\n[databases]\n" + std::string(lines));
  }
  Config GoodIni(const std::string& text) const {
    const auto config = Read(text);
    EXPECT_TRUE(config.ok()) << text << "\n" << MessageOf(config.status());
    return config.ok() ? *config : Config();
  }
  std::string Primary(std::string_view line, std::string_view general = "") const {
    const Config config = Databases(line, general);
    return config.databases.empty() ? "" : config.databases.begin()->second.node.primary;
  }
  // What is wrong with these lines of [pgbouncer], whose first is the file's second.
  std::string GeneralFault(std::string_view lines) const {
    return Fault("[pgbouncer]\n" + std::string(lines) + "\n[databases]\napp = host=h\n");
  }
  std::string Fault(const std::string& text) const { return FaultIn(text, IniPath()); }
  std::string FaultIn(const std::string& text, const std::string& path) const {
    const auto config = Parse(text, path);
    if (config.ok()) return "no error";
    EXPECT_EQ(SqlStateOf(config.status()), sqlstate::kConfigFileError);
    return Short(MessageOf(config.status()));
  }
  std::vector<std::string> Warnings(std::string_view lines) const {
    std::vector<std::string> warnings = General(lines).warnings;
    for (std::string& warning : warnings) warning = Short(warning);
    return warnings;
  }
  std::string Short(std::string text) const {
    const std::string folder = File("");
    for (size_t at; (at = text.find(folder)) != std::string::npos;) text.erase(at, folder.size());
    return text;
  }
};

TEST_F(PgBouncerIni, IsKnownByItsSectionWhateverItsName) {
  EXPECT_TRUE(IsPgBouncerIni("; c\n[databases]\na =\n  [pgbouncer] \nlisten_port = 1\n"));
  EXPECT_TRUE(IsPgBouncerIni("%include /etc/pgbouncer/all.ini\n"));
  EXPECT_FALSE(IsPgBouncerIni("[databases.pgbouncer]\nprimary = \"host=pgbouncer\"\n"));
  EXPECT_FALSE(IsPgBouncerIni("# [pgbouncer]\n[listen]\nport = 1\n"));
  EXPECT_FALSE(IsPgBouncerIni(""));
  const auto config = Parse("[pgbouncer]\nlisten_port = 7\n", File("pgweir.toml"));
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  EXPECT_EQ(config->listen.port, 7);
}

TEST_F(PgBouncerIni, HasPgBouncersDefaults) {
  const Config config = General("");
  EXPECT_EQ(config.listen.address, "");
  EXPECT_EQ(config.listen.port, 6432);
  EXPECT_EQ(config.listen.unix_socket_dir, "/tmp");
  EXPECT_EQ(config.listen.unix_socket_mode, 0777);
  EXPECT_EQ(config.listen.max_clients, 100);
  EXPECT_EQ(config.listen.client_login_timeout, seconds(60));
  EXPECT_EQ(config.listen.tls.mode, TlsMode::kDisable);
  EXPECT_EQ(config.auth.method, AuthMethod::kMd5);
  EXPECT_EQ(config.auth.users_file, "");
  EXPECT_EQ(config.pool.mode, PoolMode::kSession);
  EXPECT_EQ(config.pool.size, 20);
  EXPECT_EQ(config.pool.overflow, 0);
  EXPECT_EQ(config.pool.min_size, 0);
  EXPECT_EQ(config.pool.wait_timeout, seconds(120));
  EXPECT_EQ(config.pool.recycle, seconds(3600));
  EXPECT_EQ(config.pool.idle_timeout, seconds(600));
  EXPECT_EQ(config.pool.server_connect_timeout, seconds(15));
  EXPECT_EQ(config.pool.query_wait_notify, seconds(5));
  EXPECT_EQ(config.pool.max_prepared_statements, 200);
  EXPECT_TRUE(config.pool.pre_ping);
  EXPECT_TRUE(config.log.connections);
  EXPECT_TRUE(config.log.disconnections);
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(PgBouncerIni, PutsGeneralKeysWhereTheyBelong) {
  const Config config = General(R"(
listen_addr = 127.0.0.1, ::1
listen_port = 0x1a00
unix_socket_dir =
unix_socket_mode = 0770
unix_socket_group = adm
max_client_conn = 1000
client_login_timeout = 5.5
pool_mode = Transaction
default_pool_size = 7
min_pool_size = 3
reserve_pool_size = 2
reserve_pool_timeout = 1
max_db_connections = 11
max_user_connections = 12
max_db_client_connections = 13
max_user_client_connections = 14
max_prepared_statements = 9
query_timeout = 1
query_wait_timeout = 0
query_wait_notify = 0
client_idle_timeout = 2
idle_transaction_timeout = 3
transaction_timeout = 4
server_idle_timeout = 0
server_lifetime = 1200.0
server_connect_timeout = 6
server_check_query =
ignore_startup_parameters = extra_float_digits, Search_Path
application_name_add_host = 1
peer_id = 3
user = postgres
syslog = 1
syslog_ident = weir
syslog_facility = local3
log_connections = 0
log_disconnections = 0
verbose = 2
)");
  EXPECT_EQ(config.listen.address, "127.0.0.1, ::1");
  EXPECT_EQ(config.listen.port, 0x1a00);
  EXPECT_EQ(config.listen.unix_socket_dir, "");
  EXPECT_EQ(config.listen.unix_socket_mode, 0770);
  EXPECT_EQ(config.listen.unix_socket_group, "adm");
  EXPECT_EQ(config.listen.max_clients, 1000);
  EXPECT_EQ(config.listen.client_login_timeout, milliseconds(5500));
  EXPECT_THAT(config.listen.ignore_startup_parameters,
              ElementsAre("extra_float_digits", "search_path"));
  EXPECT_TRUE(config.listen.application_name_add_host);
  const Pool& pool = config.FindDatabase("app")->pool;
  EXPECT_EQ(pool.mode, PoolMode::kTransaction);
  EXPECT_EQ(pool.size, 7);
  EXPECT_EQ(pool.min_size, 3);
  EXPECT_EQ(pool.overflow, 2);
  EXPECT_EQ(pool.max_db_connections, 11);
  EXPECT_EQ(pool.max_user_connections, 12);
  EXPECT_EQ(pool.max_db_client_connections, 13);
  EXPECT_EQ(pool.max_user_client_connections, 14);
  EXPECT_EQ(pool.max_prepared_statements, 9);
  EXPECT_EQ(pool.query_timeout, seconds(1));
  EXPECT_EQ(pool.wait_timeout, seconds(0));
  EXPECT_EQ(pool.query_wait_notify, seconds(0));
  EXPECT_EQ(pool.client_idle_timeout, seconds(2));
  EXPECT_EQ(pool.idle_transaction_timeout, seconds(3));
  EXPECT_EQ(pool.transaction_timeout, seconds(4));
  EXPECT_EQ(pool.idle_timeout, seconds(0));
  EXPECT_EQ(pool.recycle, seconds(1200));
  EXPECT_EQ(pool.server_connect_timeout, seconds(6));
  EXPECT_FALSE(pool.pre_ping);
  EXPECT_EQ(config.peer_id, 3);
  EXPECT_EQ(config.process.user, "postgres");
  EXPECT_TRUE(config.log.syslog);
  EXPECT_EQ(config.log.syslog_ident, "weir");
  EXPECT_EQ(config.log.syslog_facility, "local3");
  EXPECT_FALSE(config.log.connections);
  EXPECT_FALSE(config.log.disconnections);
  EXPECT_EQ(config.log.level, LogLevel::kTrace);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(PgBouncerIni, TranslatesWhatMeansSomethingElse) {
  // A lifetime of 0 is one use, which is not "for ever".
  EXPECT_EQ(General("server_lifetime = 0").pool.recycle, milliseconds(1));
  EXPECT_EQ(General("reserve_pool_size = 5\nreserve_pool_timeout = 0").pool.overflow, 0);
  EXPECT_EQ(General("min_pool_size = 50").pool.min_size, 20);
  EXPECT_EQ(General("max_prepared_statements = 0").pool.max_prepared_statements, 200);
  EXPECT_EQ(General("client_login_timeout = 0.0001").listen.client_login_timeout, milliseconds(1));
}

TEST_F(PgBouncerIni, ReadsEachWayToAuthenticate) {
  Write("userlist.txt", "\"app\" \"secret\"\n");
  EXPECT_EQ(General("auth_type = md5").auth.method, AuthMethod::kMd5);
  EXPECT_EQ(General("auth_type = SCRAM-SHA-256").auth.method, AuthMethod::kScramSha256);
  const Config plain = General("auth_type = plain");
  EXPECT_EQ(plain.auth.method, AuthMethod::kPassword);
  EXPECT_TRUE(plain.auth.allow_plain_without_tls);
  const Config trust = General("auth_type = trust\nauth_file = " + File("userlist.txt"));
  EXPECT_EQ(trust.auth.method, AuthMethod::kTrust);
  EXPECT_TRUE(trust.auth.known_users_only);
  EXPECT_EQ(trust.auth.users_file, File("userlist.txt"));
  const Config any = Databases("app = host=h user=u", "auth_type = any");
  EXPECT_EQ(any.auth.method, AuthMethod::kTrust);
  EXPECT_FALSE(any.auth.known_users_only);
  EXPECT_EQ(Fault("[pgbouncer]\nauth_type = any\n[databases]\napp = host=h\n"),
            "pgbouncer.ini:4:1: app must have a user: auth_type any hides who asks");
  EXPECT_THAT(GeneralFault("auth_type = pam"), HasSubstr("2:13: auth_type: not served"));
  EXPECT_THAT(GeneralFault("auth_type = ldap"), HasSubstr("not served"));
  EXPECT_THAT(GeneralFault("auth_type = none"), HasSubstr("must be one of any, trust"));
}

TEST_F(PgBouncerIni, ReadsRules) {
  Write("hba", "local all all peer map=staff\nhost all all all md5\n");
  Write("ident", "staff root admin\n");
  const std::string files = "\nauth_ident_file = " + File("ident") + "\nauth_hba_file = ";
  const Config hba = General("auth_type = hba" + files + File("hba"));
  EXPECT_EQ(hba.auth.method, AuthMethod::kHba);
  EXPECT_EQ(hba.auth.hba_file, File("hba"));
  EXPECT_EQ(hba.auth.ident_file, File("ident"));
  EXPECT_TRUE(hba.auth.known_users_only);
  EXPECT_THAT(hba.warnings, IsEmpty());
  EXPECT_EQ(GeneralFault("auth_type = hba"),
            "pgbouncer.ini:1:1: auth_hba_file: must name a file for auth_type hba");
  EXPECT_EQ(GeneralFault("auth_type = hba\nauth_hba_file = " + File("none")),
            "pgbouncer.ini:3:17: auth_hba_file: none cannot be read: No such file or directory");
  EXPECT_EQ(GeneralFault("auth_type = hba\nauth_hba_file = " + File("hba")),
            "hba:1:1: map=staff: auth_ident_file has no such map");
  Write("hba", "host all all all krb5\n");
  EXPECT_THAT(GeneralFault("auth_type = hba" + files + File("hba")), HasSubstr("hba:1:"));
  EXPECT_THAT(GeneralFault("auth_type = cert"),
              HasSubstr("2:13: auth_type: \"cert\" needs a client_tls_sslmode"));
}

TEST_F(PgBouncerIni, AsksTheDatabaseForSecretsWhereThereIsAnAuthUser) {
  EXPECT_FALSE(General("auth_query = SELECT 1\nauth_dbname = x").AsksForSecrets());
  const Config config = Databases(R"(plain = host=h
own = host=h auth_user=b auth_query='SELECT f($1)' auth_dbname=other
)",
                                  "auth_user = a\nauth_dbname = shared");
  const AuthQuery plain = config.AuthQueryFor("plain");
  EXPECT_THAT(plain.sql, HasSubstr("FROM pg_catalog.pg_shadow WHERE usename=$1"));
  EXPECT_EQ(plain.user, "a");
  EXPECT_EQ(plain.database, "shared");
  EXPECT_EQ(config.AuthQueryFor("own"), (AuthQuery{"SELECT f($1)", "b", "other"}));
  const Config one = Databases("own = host=h auth_user=b\nother = host=h", "");
  EXPECT_EQ(one.AuthQueryFor("own").user, "b");
  EXPECT_THAT(one.AuthQueryFor("own").sql, HasSubstr("pg_shadow"));
  EXPECT_EQ(one.AuthQueryFor("other").sql, "");
  EXPECT_TRUE(one.AsksForSecrets());
}

TEST_F(PgBouncerIni, TheConsoleIsPgBouncers) {
  const Config config = General("");
  EXPECT_TRUE(config.IsConsole("pgbouncer"));
  EXPECT_FALSE(config.IsConsole("pgweir"));
  EXPECT_THAT(config.admin.users, IsEmpty());
  EXPECT_FALSE(config.admin.everybody);
  const Admin admin = General("admin_users = ann, bob\nstats_users = eve").admin;
  EXPECT_THAT(admin.users, ElementsAre("ann", "bob"));
  EXPECT_THAT(admin.stats_users, ElementsAre("eve"));
  // Who somebody is, it then does not ask.
  EXPECT_TRUE(Databases("a = host=h user=u", "auth_type = any").admin.everybody);
}

TEST_F(PgBouncerIni, ReadsStatisticsOfTheLog) {
  EXPECT_TRUE(General("").log.stats);
  EXPECT_EQ(General("").log.stats_period, seconds(60));
  const Config config = General("log_stats = 0\nstats_period = 5");
  EXPECT_FALSE(config.log.stats);
  EXPECT_EQ(config.log.stats_period, seconds(5));
  EXPECT_EQ(General("stats_period = 0").log.stats_period, seconds(1));
}

TEST_F(PgBouncerIni, WatchesConnectionsOfBothSides) {
  const std::string keys =
      "tcp_keepcnt = 3\ntcp_keepidle = 20\ntcp_keepintvl = 5\ntcp_user_timeout = 12000";
  const TcpKeepalive tcp = General(keys).listen.tcp_keepalive;
  EXPECT_TRUE(tcp.on);
  EXPECT_EQ(tcp.count, 3);
  EXPECT_EQ(tcp.idle, seconds(20));
  EXPECT_EQ(tcp.interval, seconds(5));
  EXPECT_EQ(tcp.user_timeout, seconds(12));
  EXPECT_THAT(Primary("a = host=h", keys),
              HasSubstr(" keepalives_idle='20' keepalives_interval='5' keepalives_count='3' "
                        "tcp_user_timeout='12000'"));
  EXPECT_EQ(General("tcp_keepcnt = 0\ntcp_keepidle = 0").listen.tcp_keepalive, TcpKeepalive());
  EXPECT_FALSE(General("tcp_keepalive = 0").listen.tcp_keepalive.on);
  EXPECT_THAT(Primary("a = host=h", "tcp_keepalive = 0"), HasSubstr(" keepalives='0'"));
}

TEST_F(PgBouncerIni, ReadsTlsOfClients) {
  Write("cert.pem", "");
  Write("key.pem", "");
  Write("ca.pem", "");
  const std::string files =
      "client_tls_cert_file = " + File("cert.pem") + "\nclient_tls_key_file = " + File("key.pem");
  const Config config = General("client_tls_sslmode = require\n" + files);
  EXPECT_EQ(config.listen.tls.mode, TlsMode::kRequire);
  EXPECT_EQ(config.listen.tls.certificate, File("cert.pem"));
  EXPECT_EQ(config.listen.tls.key, File("key.pem"));
  // PgBouncer does not compare the name in verify-full.
  EXPECT_EQ(General("client_tls_sslmode = verify-full\nclient_tls_ca_file = " + File("ca.pem") +
                    "\n" + files)
                .listen.tls.mode,
            TlsMode::kVerifyCa);
  EXPECT_EQ(
      GeneralFault("client_tls_sslmode = require\nclient_tls_cert_file = " + File("cert.pem")),
      "pgbouncer.ini:1:1: client_tls_key_file: must name a PEM file for this "
      "client_tls_sslmode");
  EXPECT_THAT(GeneralFault("client_tls_sslmode = verify-ca\n" + files),
              HasSubstr("client_tls_ca_file"));
  EXPECT_THAT(Warnings("client_tls_protocols = secure"), IsEmpty());
  EXPECT_THAT(Warnings("client_tls_protocols = all"), ElementsAre(HasSubstr("TLS 1.0 and 1.1")));
  EXPECT_THAT(GeneralFault("client_tls_protocols = tlsv1.3"), HasSubstr("switched off"));
  EXPECT_THAT(GeneralFault("client_tls_protocols = sslv3"), HasSubstr("must be secure"));
}

TEST_F(PgBouncerIni, MakesConnectionStrings) {
  EXPECT_EQ(Primary("app = host=10.0.0.1 port=5433"),
            "host='10.0.0.1' port='5433' dbname='app' sslmode='prefer'");
  // Without a host, PgBouncer looks where its own socket is.
  EXPECT_EQ(Primary("app =", "unix_socket_dir = /run/here"),
            "host='/run/here' port='5432' dbname='app' sslmode='prefer'");
  EXPECT_EQ(Primary("app = host=h dbname=other user=u password='it''s a \\'",
                    "server_tls_sslmode "
                    "= disable"),
            "host='h' port='5432' dbname='other' user='u' password='it\\'s a \\\\' "
            "sslmode='disable'");
  EXPECT_EQ(Primary("app = host=h client_encoding=UTF8 datestyle='ISO, DMY' timezone=UTC "
                    "application_name=weir",
                    "server_tls_sslmode = disable"),
            "host='h' port='5432' dbname='app' client_encoding='UTF8' application_name='weir' "
            "options='-c datestyle=ISO,\\\\ DMY -c timezone=UTC' sslmode='disable'");
  EXPECT_EQ(Primary("app = host=h target_session_attrs=read-write", "server_tls_sslmode = disable"),
            "host='h' port='5432' dbname='app' target_session_attrs='read-write' "
            "sslmode='disable'");
  EXPECT_EQ(Fault("[pgbouncer]\nunix_socket_dir =\nlisten_addr = *\n[databases]\napp =\n"),
            "pgbouncer.ini:5:1: app must have a host, since unix_socket_dir is empty");
}

TEST_F(PgBouncerIni, HandsServerTlsToLibpq) {
  EXPECT_THAT(Primary("a = host=h",
                      "server_tls_sslmode = verify-full\nserver_tls_ca_file = /ca\n"
                      "server_tls_cert_file = /c\nserver_tls_key_file = /k\n"
                      "server_tls_protocols = tlsv1.2"),
              HasSubstr(" sslmode='verify-full' sslrootcert='/ca' sslcert='/c' sslkey='/k' "
                        "ssl_min_protocol_version='TLSv1.2' ssl_max_protocol_version='TLSv1.2'"));
  EXPECT_THAT(Primary("a = host=h", "server_tls_sslmode = verify-ca"),
              HasSubstr("sslrootcert='/etc/ssl/certs/ca-certificates.crt'"));
  // libpq would verify with it, PgBouncer does not.
  EXPECT_EQ(Primary("a = host=h", "server_tls_sslmode = require\nserver_tls_ca_file = /ca"),
            "host='h' port='5432' dbname='a' sslmode='require'");
}

TEST_F(PgBouncerIni, AUserWithoutPasswordHasThatOfTheAuthFile) {
  Write("userlist.txt", "\"u\" \"plain\"\n\"m\" \"md5" + std::string(32, 'a') + "\"\n");
  const std::string file = "auth_file = " + File("userlist.txt");
  EXPECT_THAT(Primary("app = host=h user=u", file), HasSubstr(" user='u' password='plain'"));
  EXPECT_THAT(Primary("app = host=h user=u password=own", file), HasSubstr("password='own'"));
  EXPECT_THAT(Primary("app = host=h user=none", file), Not(HasSubstr("password")));
  EXPECT_EQ(Databases("app = host=h user=u", file).FindDatabase("app")->login_secret, "");
  const Config hashed = Databases("app = host=h user=m", file);
  EXPECT_THAT(hashed.FindDatabase("app")->node.primary, Not(HasSubstr("password")));
  EXPECT_EQ(hashed.FindDatabase("app")->login_secret, "md5" + std::string(32, 'a'));
  EXPECT_THAT(hashed.warnings, IsEmpty());
  EXPECT_THAT(Databases("app = host=h password=p").warnings,
              ElementsAre(HasSubstr("app password: no meaning without a user")));
}

TEST_F(PgBouncerIni, OverridesPoolsByDatabaseAndUser) {
  const Config config = GoodIni(R"([pgbouncer]
pool_mode = transaction
reserve_pool_size = 4
[databases]
a = host=h pool_size=3 min_pool_size=9 reserve_pool=1 pool_mode=statement max_db_connections=5
b = host=h reserve_pool_size=2 max_db_client_connections=6 server_lifetime=0 query_wait_timeout=7
c = host=h pool_size=-1
[users]
u = pool_mode=session pool_size=8 reserve_pool_size=0 max_user_connections=9
v = max_user_client_connections=1 query_timeout=2 idle_transaction_timeout=3 transaction_timeout=4 client_idle_timeout=5 query_wait_timeout=6
)");
  const Pool& a = config.FindDatabase("a")->pool;
  EXPECT_EQ(a.size, 3);
  EXPECT_EQ(a.min_size, 3);
  EXPECT_EQ(a.overflow, 1);
  EXPECT_EQ(a.mode, PoolMode::kStatement);
  EXPECT_EQ(a.max_db_connections, 5);
  const Pool& b = config.FindDatabase("b")->pool;
  EXPECT_EQ(b.overflow, 2);
  EXPECT_EQ(b.max_db_client_connections, 6);
  EXPECT_EQ(b.recycle, milliseconds(1));
  EXPECT_EQ(b.wait_timeout, seconds(7));
  EXPECT_EQ(config.FindDatabase("c")->pool.size, 20);
  const Pool u = config.PoolFor(*config.FindDatabase("a"), "u");
  EXPECT_EQ(u.mode, PoolMode::kSession);
  EXPECT_EQ(u.size, 8);
  EXPECT_EQ(u.overflow, 0);
  EXPECT_EQ(config.UserPool("u").max_user_connections, 9);
  const Pool v = config.PoolFor(*config.FindDatabase("b"), "v");
  EXPECT_EQ(v.max_user_client_connections, 1);
  EXPECT_EQ(v.query_timeout, seconds(2));
  EXPECT_EQ(v.idle_transaction_timeout, seconds(3));
  EXPECT_EQ(v.transaction_timeout, seconds(4));
  EXPECT_EQ(v.client_idle_timeout, seconds(5));
  EXPECT_EQ(v.wait_timeout, seconds(6));
}

TEST_F(PgBouncerIni, AStarServesEveryOtherName) {
  const Config config = Databases("* = host=h\n\"odd \"\"name\"\"\" = host=i\n");
  EXPECT_EQ(config.FindDatabase("anything")->name, "*");
  EXPECT_FALSE(config.FindDatabase("anything")->keeps_dbname);
  EXPECT_THAT(config.FindDatabase("anything")->node.primary, Not(HasSubstr("dbname")));
  EXPECT_THAT(config.FindDatabase("odd \"name\"")->node.primary,
              HasSubstr("dbname='odd \"name\"'"));
  EXPECT_TRUE(Databases("* = host=h dbname=one").FindDatabase("x")->keeps_dbname);
}

TEST_F(PgBouncerIni, TheLastOfSeveralLinesCounts) {
  EXPECT_EQ(General("listen_port = 1\nlisten_port = 2").listen.port, 2);
  EXPECT_THAT(Primary("app = host=a\napp = host=b"), HasSubstr("host='b'"));
}

TEST_F(PgBouncerIni, ReadsPeers) {
  const Config config = GoodIni(
      "[pgbouncer]\npeer_id = 1\n[peers]\n1 = host=/tmp/one\n2 = host=h port=7 pool_size=3\n");
  EXPECT_EQ(config.peers.at(1).host, "/tmp/one");
  EXPECT_EQ(config.peers.at(1).port, 6432);
  EXPECT_EQ(config.peers.at(2).port, 7);
  EXPECT_EQ(config.peers.at(2).pool_size, 3);
  EXPECT_THAT(Fault("[pgbouncer]\n[peers]\nx = host=h\n"), HasSubstr("3:1: a peer's id: must be"));
  EXPECT_EQ(Fault("[pgbouncer]\n[peers]\n5 = port=1\n"),
            "pgbouncer.ini:3:1: peer 5 must have a host");
  EXPECT_THAT(GeneralFault("peer_id = 16384"), HasSubstr("from 0 to 16383"));
}

TEST_F(PgBouncerIni, WarnsOfSeveralHosts) {
  const Config config = Databases("a = host=x,y\nb = host=x,y load_balance_hosts=disable\n");
  EXPECT_THAT(config.FindDatabase("a")->node.primary, HasSubstr("host='x,y'"));
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_THAT(Short(config.warnings[0]),
              HasSubstr("pgbouncer.ini:4:10: warning: a host: the first host that answers"));
}

TEST_F(PgBouncerIni, TurnsAConnectQueryIntoSettings) {
  using Settings = std::vector<std::pair<std::string, std::string>>;
  const auto of = [](std::string_view text) {
    const auto settings = SettingsOfConnectQuery(text);
    return settings.ok() ? *settings : Settings{{"refused", ""}};
  };
  EXPECT_EQ(of("set search_path = 'a; b'; SET SESSION work_mem TO '1''MB';"),
            (Settings{{"search_path", "a; b"}, {"work_mem", "1'MB"}}));
  EXPECT_EQ(of("SET search_path TO \"$user\", public"),
            (Settings{{"search_path", "\"$user\", public"}}));
  EXPECT_EQ(of("SELECT 1"), Settings());
  for (const std::string_view refused :
       {"select f()", "set local x = 1", "set role r", "set time zone 'UTC'", "set x = default",
        "set x = 'a', 'b'", "set x = 1 -- why", "set x", "set", "= 1", "set x = E'\\n'",
        "set x = 'open", "begin"}) {
    EXPECT_EQ(of(refused), (Settings{{"refused", ""}})) << refused;
  }
  EXPECT_THAT(Primary("a = host=h connect_query='set search_path = ''s'''"),
              HasSubstr("options='-c search_path=s'"));
  EXPECT_THAT(Fault("[pgbouncer]\n[databases]\na = host=h connect_query='select f()'\n"),
              HasSubstr("pgbouncer.ini:3:26: a connect_query: only SET statements"));
}

TEST_F(PgBouncerIni, IncludesFiles) {
  Write("general.ini", "pool_mode = transaction\n[databases]\n");
  Write("more.ini", "b = host=b\nbad\n");
  // What a file begins goes on behind the line that names it.
  const Config config = GoodIni("[pgbouncer]\n%include " + File("general.ini") + "\na = host=a\n");
  EXPECT_EQ(config.pool.mode, PoolMode::kTransaction);
  EXPECT_NE(config.FindDatabase("a"), nullptr);
  EXPECT_EQ(Fault("[pgbouncer]\n[databases]\n  %include " + File("more.ini") + "\n"),
            "more.ini:2:4: expected \"=\" behind the key");
  EXPECT_EQ(Fault("[pgbouncer]\n%include " + File("none.ini") + "\n"),
            "pgbouncer.ini:2:10: none.ini cannot be read: No such file or directory");
  EXPECT_THAT(Fault("[pgbouncer]\n%include\n"), HasSubstr("2:1: expected \"%include FILE\""));
  EXPECT_THAT(Fault("[pgbouncer]\n%define x\n"), HasSubstr("2:1: expected \"%include FILE\""));
}

TEST_F(PgBouncerIni, RefusesFilesThatIncludeThemselves) {
  Write("a.ini", "%include " + File("b.ini") + "\n");
  Write("b.ini", "%include " + File("a.ini") + "\n");
  EXPECT_EQ(FaultIn("[pgbouncer]\n%include " + File("b.ini") + "\n", File("a.ini")),
            "b.ini:1:10: a.ini includes itself");
  const auto endless = [](const std::string& path) -> StatusOr<std::string> {
    return "%include " + path + "x\n";
  };
  const auto deep = ParsePgBouncerIni("[pgbouncer]\n%include x", "m", endless);
  ASSERT_FALSE(deep.ok());
  EXPECT_THAT(MessageOf(deep.status()), HasSubstr("more than 10 files include each other"));
  const auto wide = [](const std::string& path) -> StatusOr<std::string> {
    std::string text;
    for (int i = 0; i < 50; ++i) text += "%include " + path + std::to_string(i) + "\n";
    return path.size() > 8 ? "" : text;
  };
  const auto many = ParsePgBouncerIni("[pgbouncer]\n%include x", "m", wide);
  ASSERT_FALSE(many.ok());
  EXPECT_THAT(MessageOf(many.status()), HasSubstr("more than 1000 files"));
}

TEST_F(PgBouncerIni, TellsAllFaultsWithTheirPlaces) {
  EXPECT_EQ(Fault("pool_mode = x\n[pgbouncer]\npool_mode = fast\npol_mode = session\n"
                  "max_client_conn=0\nverbose = a\nlisten_port =\njunk\n[other]\n[open\n"
                  "[databases]\na = host=h prot=1\nb = host\nc = host='x\nd = port=0 host=\n"),
            "pgbouncer.ini:1:1: a key must stand in a [section]\n"
            "pgbouncer.ini:3:13: pool_mode: must be one of session, transaction, statement\n"
            "pgbouncer.ini:4:1: unknown key pol_mode; did you mean pool_mode?\n"
            "pgbouncer.ini:5:17: max_client_conn: must be a whole number from 1 to 1000000\n"
            "pgbouncer.ini:6:11: verbose: must be a whole number from 0 to 10\n"
            "pgbouncer.ini:7:14: listen_port: must be a whole number from 1 to 65535\n"
            "pgbouncer.ini:8:5: expected \"=\" behind the key\n"
            "pgbouncer.ini:9:1: unknown section [other]\n"
            "pgbouncer.ini:10:1: expected \"]\" behind the section's name\n"
            "pgbouncer.ini:12:12: a: unknown key prot\n"
            "pgbouncer.ini:13:5: b: expected key=value pairs with blanks between\n"
            "pgbouncer.ini:14:10: c: expected a single quote at the value's end\n"
            "pgbouncer.ini:15:10: d port: must be a whole number from 1 to 65535\n"
            "pgbouncer.ini:15:17: d: a value must not be empty");
  EXPECT_EQ(Fault("%include /dev/null\n[databases]\na = host=h\n"),
            "pgbouncer.ini:1:1: there is no section [pgbouncer]\n"
            "pgbouncer.ini:1:10: /dev/null is not a regular file");
  EXPECT_THAT(GeneralFault("# no\n\n  ;neither\nunix_socket_dir ="),
              HasSubstr("nothing to listen"));
  EXPECT_THAT(GeneralFault("unix_socket_dir = @x"), HasSubstr("abstract"));
  EXPECT_THAT(Fault("[pgbouncer]\n[databases]\npgbouncer = host=h\n"), HasSubstr("the console"));
}

TEST_F(PgBouncerIni, NumbersAreAsStrtolReadsThem) {
  EXPECT_EQ(General("default_pool_size = +010").pool.size, 8);
  for (const std::string_view wrong :
       {"", "x", "1.5", "08", "0x", "--1", "1 2", "1e3", "99999999999999999999", "-1"}) {
    EXPECT_THAT(GeneralFault("default_pool_size = " + std::string(wrong)),
                HasSubstr("whole number"))
        << wrong;
  }
  for (const std::string_view wrong : {"", "x", "1h", "-1", "inf", "nan", "1e12"}) {
    EXPECT_THAT(GeneralFault("query_timeout = " + std::string(wrong)), HasSubstr("seconds"))
        << wrong;
  }
  EXPECT_THAT(GeneralFault("syslog = yes"), HasSubstr("must be 0 or 1"));
}

TEST_F(PgBouncerIni, NoMessageShowsASecret) {
  Write("userlist.txt", "\"u\" \"hidden-one\n");
  const std::string faults = Fault("[pgbouncer]\nauth_file = " + File("userlist.txt") +
                                   "\n[databases]\na = host=h password=hidden-two hidden-three\n"
                                   "b = host=h password='hidden-four\nhidden five\n");
  EXPECT_THAT(faults, HasSubstr("userlist.txt:1:"));
  EXPECT_THAT(faults, HasSubstr("pgbouncer.ini:4:"));
  EXPECT_THAT(faults, HasSubstr("pgbouncer.ini:5:"));
  EXPECT_THAT(faults, HasSubstr("pgbouncer.ini:6:"));
  EXPECT_THAT(faults, Not(HasSubstr("hidden")));
}

TEST_F(PgBouncerIni, WarnsOnlyOfWhatDiffersFromThePgBouncerDefault) {
  EXPECT_THAT(Warnings("pkt_buf = 4096\nserver_reset_query = discard all\nsbuf_loopcnt = 5.0"),
              IsEmpty());
  EXPECT_THAT(Warnings("track_extra_parameters = search_path"), IsEmpty());
  EXPECT_THAT(Warnings("pkt_buf = 8192"),
              ElementsAre("pgbouncer.ini:4:11: warning: pkt_buf: no meaning: tunes PgBouncer's own "
                          "event loop"));
  EXPECT_THAT(Warnings("server_reset_query ="), ElementsAre(HasSubstr("always cleaned up")));
  EXPECT_THAT(Warnings("server_check_query = select 1;"), IsEmpty());
  EXPECT_THAT(Warnings("server_check_query = select f()"), ElementsAre(HasSubstr("empty query")));
  EXPECT_THAT(GeneralFault("disable_pqexec = 1"), HasSubstr("2:18: disable_pqexec: "));
  EXPECT_EQ(GeneralFault("disable_pqexec = 0"), "no error");
  EXPECT_THAT(Warnings("[pgbouncer]\nlisten_port = 1"), ElementsAre(HasSubstr("a second")));
}

TEST_F(PgBouncerIni, ASecondGeneralSectionBeginsAtTheDefaults) {
  const Config config = GoodIni("[pgbouncer]\nlisten_port = 1\n[pgbouncer]\nmax_client_conn = 5\n");
  EXPECT_EQ(config.listen.port, 6432);
  EXPECT_EQ(config.listen.max_clients, 5);
}

TEST_F(PgBouncerIni, AnAuthFileMustBeReadable) {
  EXPECT_EQ(GeneralFault("auth_file = " + File("none")),
            "pgbouncer.ini:2:13: auth_file: none cannot be read: No such file or directory");
}

// A freshly installed PgBouncer serves nothing yet.
TEST_F(PgBouncerIni, ReadsWhatAFreshInstallationHas) {
  Write("userlist.txt", "");
  const Config config = GoodIni(R"(;;;
;; what clients may ask for
;;;
[databases]

;app = host=localhost
;* = host=elsewhere

[users]
;someone = pool_mode=transaction

[pgbouncer]
logfile = /var/log/postgresql/pgbouncer.log
pidfile = /var/run/postgresql/pgbouncer.pid
listen_addr = localhost
listen_port = 6432
unix_socket_dir = /var/run/postgresql
auth_type = md5
auth_file = )" + File("userlist.txt") +
                                R"(
;admin_users = postgres
# %include /etc/pgbouncer/more.ini
)");
  EXPECT_EQ(config.listen.address, "localhost");
  EXPECT_EQ(config.listen.unix_socket_dir, "/var/run/postgresql");
  EXPECT_EQ(config.log.file, "/var/log/postgresql/pgbouncer.log");
  EXPECT_EQ(config.process.pid_file, "/var/run/postgresql/pgbouncer.pid");
  EXPECT_THAT(config.warnings, ElementsAre(HasSubstr("[databases] is empty")));
}

TEST_F(PgBouncerIni, KnowsNoKeyTwice) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const PgBouncerKey& key : PgBouncerKeys()) {
    EXPECT_TRUE(seen.emplace(key.section, key.name).second) << key.section << " " << key.name;
  }
}

// Every key of PgBouncer's own list is known: here those of its versions 1.18 to 1.25.
TEST_F(PgBouncerIni, KnowsEveryKeyOfPgBouncer) {
  std::set<std::string_view> known;
  for (const PgBouncerKey& key : PgBouncerKeys()) {
    if (key.section == "pgbouncer") known.insert(key.name);
  }
  for (const std::string_view key : {"admin_users",
                                     "application_name_add_host",
                                     "auth_dbname",
                                     "auth_file",
                                     "auth_hba_file",
                                     "auth_ident_file",
                                     "auth_ldap_options",
                                     "auth_query",
                                     "auth_type",
                                     "auth_user",
                                     "autodb_idle_timeout",
                                     "cancel_wait_timeout",
                                     "client_idle_timeout",
                                     "client_login_timeout",
                                     "client_tls13_ciphers",
                                     "client_tls_ca_file",
                                     "client_tls_cert_file",
                                     "client_tls_ciphers",
                                     "client_tls_dheparams",
                                     "client_tls_ecdhcurve",
                                     "client_tls_key_file",
                                     "client_tls_protocols",
                                     "client_tls_sslmode",
                                     "conffile",
                                     "default_pool_size",
                                     "disable_pqexec",
                                     "dns_max_ttl",
                                     "dns_nxdomain_ttl",
                                     "dns_zone_check_period",
                                     "idle_transaction_timeout",
                                     "ignore_startup_parameters",
                                     "job_name",
                                     "listen_addr",
                                     "listen_backlog",
                                     "listen_port",
                                     "log_connections",
                                     "log_disconnections",
                                     "log_pooler_errors",
                                     "log_stats",
                                     "logfile",
                                     "max_client_conn",
                                     "max_db_client_connections",
                                     "max_db_connections",
                                     "max_packet_size",
                                     "max_prepared_statements",
                                     "max_user_client_connections",
                                     "max_user_connections",
                                     "min_pool_size",
                                     "peer_id",
                                     "pidfile",
                                     "pkt_buf",
                                     "pool_mode",
                                     "query_timeout",
                                     "query_wait_notify",
                                     "query_wait_timeout",
                                     "reserve_pool_size",
                                     "reserve_pool_timeout",
                                     "resolv_conf",
                                     "sbuf_loopcnt",
                                     "scram_iterations",
                                     "server_check_delay",
                                     "server_check_query",
                                     "server_connect_timeout",
                                     "server_fast_close",
                                     "server_idle_timeout",
                                     "server_lifetime",
                                     "server_login_retry",
                                     "server_reset_query",
                                     "server_reset_query_always",
                                     "server_round_robin",
                                     "server_tls13_ciphers",
                                     "server_tls_ca_file",
                                     "server_tls_cert_file",
                                     "server_tls_ciphers",
                                     "server_tls_key_file",
                                     "server_tls_protocols",
                                     "server_tls_sslmode",
                                     "service_name",
                                     "so_reuseport",
                                     "stats_period",
                                     "stats_users",
                                     "suspend_timeout",
                                     "syslog",
                                     "syslog_facility",
                                     "syslog_ident",
                                     "tcp_defer_accept",
                                     "tcp_keepalive",
                                     "tcp_keepcnt",
                                     "tcp_keepidle",
                                     "tcp_keepintvl",
                                     "tcp_socket_buffer",
                                     "tcp_user_timeout",
                                     "track_extra_parameters",
                                     "transaction_timeout",
                                     "unix_socket_dir",
                                     "unix_socket_group",
                                     "unix_socket_mode",
                                     "user",
                                     "verbose"}) {
    EXPECT_TRUE(known.contains(key)) << key;
  }
}

TEST_F(PgBouncerIni, HasEveryKeyDocumented) {
  std::ostringstream page;
  page << std::ifstream(PGWEIR_SOURCE_FOLDER "/docs/from-pgbouncer.md").rdbuf();
  constexpr std::string_view kFates[] = {"served", "as it works", "no meaning", "refused"};
  for (const PgBouncerKey& key : PgBouncerKeys()) {
    const std::string text = page.str();
    const size_t begin = text.find(fmt::format("### `[{}]`", key.section));
    ASSERT_NE(begin, std::string::npos) << key.section;
    const std::string section = text.substr(begin, text.find("\n### ", begin) - begin);
    EXPECT_THAT(section, HasSubstr(fmt::format("| `{}` | {} |", key.name,
                                               kFates[static_cast<size_t>(key.fate)])))
        << key.section;
  }
}

}  // namespace
}  // namespace pgweir::config
