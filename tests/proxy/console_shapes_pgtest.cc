// The columns, types and orders that PgBouncer's tools know, and who may see them.

#include <algorithm>

#include <gmock/gmock.h>

#include "fmt/format.h"
#include "tests/support/console_test.h"

namespace pgweir::test {
namespace {

class ConsoleShapes : public ConsoleTest {
 protected:
  static void SetUpTestSuite() { process_ = std::make_unique<PgweirProcess>(ConsoleOptions()); }
  static void TearDownTestSuite() {
    process_.reset();
    ConsoleTest::TearDownTestSuite();
  }

  // "name:oid name:oid …"
  static std::string Shape(const Result& result) {
    std::string shape;
    for (int i = 0; i < PQnfields(result.get()); ++i) {
      shape += fmt::format("{}{}:{}", i == 0 ? "" : " ", PQfname(result.get(), i),
                           PQftype(result.get(), i));
    }
    return shape;
  }
  static std::string FirstColumn(const Result& result) {
    std::string values;
    for (int row = 0; row < result.rows(); ++row) {
      values += (row == 0 ? "" : " ") + result.Value(row, 0);
    }
    return values;
  }

  static std::unique_ptr<PgweirProcess> process_;
};

std::unique_ptr<PgweirProcess> ConsoleShapes::process_;

constexpr const char* kSockets =
    "type:25 user:25 database:25 replication:25 state:25 addr:25 port:23 local_addr:25 "
    "local_port:23 connect_time:25 request_time:25 wait:23 wait_us:23 close_needed:23 ptr:25 "
    "link:25 remote_pid:23 tls:25 application_name:25 prepared_statements:23 id:23";
constexpr const char* kBuffers =
    " recv_pos:23 pkt_pos:23 pkt_remain:23 send_pos:23 send_remain:23 pkt_avail:23 send_avail:23";

struct Table {
  const char* name;
  std::string shape;
};

const Table kTables[] = {
    {"pools",
     "database:25 user:25 cl_active:23 cl_waiting:23 cl_active_cancel_req:23 "
     "cl_waiting_cancel_req:23 sv_active:23 sv_active_cancel:23 sv_being_canceled:23 sv_idle:23 "
     "sv_used:23 sv_tested:23 sv_login:23 maxwait:23 maxwait_us:23 pool_mode:25 "
     "load_balance_hosts:25"},
    {"stats",
     "database:25 total_server_assignment_count:1700 total_xact_count:1700 "
     "total_query_count:1700 total_received:1700 total_sent:1700 total_xact_time:1700 "
     "total_query_time:1700 total_wait_time:1700 total_client_parse_count:1700 "
     "total_server_parse_count:1700 total_bind_count:1700 total_client_login_count:1700 "
     "avg_server_assignment_count:1700 avg_xact_count:1700 avg_query_count:1700 avg_recv:1700 "
     "avg_sent:1700 avg_xact_time:1700 avg_query_time:1700 avg_wait_time:1700 "
     "avg_client_parse_count:1700 avg_server_parse_count:1700 avg_bind_count:1700 "
     "avg_client_login_count:1700"},
    {"stats_totals",
     "database:25 server_assignment_count:1700 xact_count:1700 query_count:1700 "
     "bytes_received:1700 bytes_sent:1700 xact_time:1700 query_time:1700 wait_time:1700 "
     "client_parse_count:1700 server_parse_count:1700 bind_count:1700 client_login_count:1700"},
    {"stats_averages",
     "database:25 server_assignment_count:1700 xact_count:1700 query_count:1700 "
     "bytes_received:1700 bytes_sent:1700 xact_time:1700 query_time:1700 wait_time:1700 "
     "avg_client_parse_count:1700 avg_server_parse_count:1700 avg_bind_count:1700 "
     "avg_client_login_count:1700"},
    {"totals", "name:25 value:1700"},
    {"clients", kSockets},
    {"servers", kSockets},
    {"sockets", std::string(kSockets) + kBuffers},
    {"active_sockets", std::string(kSockets) + kBuffers},
    {"databases",
     "name:25 host:25 port:23 database:25 force_user:25 pool_size:23 min_pool_size:23 "
     "reserve_pool_size:23 server_lifetime:23 pool_mode:25 load_balance_hosts:25 "
     "max_connections:23 current_connections:23 max_client_connections:23 "
     "current_client_connections:23 paused:23 disabled:23"},
    {"lists", "list:25 items:23"},
    {"config", "key:25 value:25 default:25 changeable:25"},
    {"users",
     "name:25 pool_size:25 reserve_pool_size:25 pool_mode:25 max_user_connections:23 "
     "current_connections:23 max_user_client_connections:23 current_client_connections:23"},
    {"peers", "peer_id:23 host:25 port:23 pool_size:23"},
    {"peer_pools",
     "peer_id:23 cl_active_cancel_req:23 cl_waiting_cancel_req:23 sv_active_cancel:23 "
     "sv_login:23"},
    {"mem", "name:25 size:23 used:23 free:23 memtotal:23"},
    {"state", "key:25 value:25"},
    {"dns_hosts", "hostname:25 ttl:20 addrs:25"},
    {"dns_zones", "zonename:25 serial:20 count:23"},
    {"fds",
     "fd:23 task:25 user:25 database:25 addr:25 port:23 cancel:20 link:23 client_encoding:25 "
     "std_strings:25 datestyle:25 timezone:25 password:25 scram_client_key:25 "
     "scram_server_key:25"},
    {"version", "version:25"},
    {"session_state", "kind:25 reason:25 count:20"},
    {"nodes",
     "node:25 role:25 host:25 port:23 state:25 lag_bytes:20 lag_ms:20 connections:23 error:25"},
};

TEST_F(ConsoleShapes, TablesHaveTheColumnsAndTypesOfPgBouncer) {
  const Connection client(process_->Conninfo());
  ASSERT_EQ(client.Value("select 1"), "1");
  const Connection console = Console(*process_);
  for (const Table& table : kTables) {
    const Result simple = console.Exec(fmt::format("SHOW {};", table.name));
    ASSERT_TRUE(simple.ok()) << table.name << simple.message();
    EXPECT_EQ(Shape(simple), table.shape) << table.name;
    EXPECT_EQ(simple.tag(), "SHOW");
    // And in the extended protocol, described before anything has run, in both formats.
    for (const int format : {0, 1}) {
      const Result extended = console.ExecParams(fmt::format("select {}", table.name), {}, format);
      ASSERT_TRUE(extended.ok()) << table.name << extended.message();
      EXPECT_EQ(Shape(extended), table.shape) << table.name;
      EXPECT_EQ(extended.tag(), "SHOW");
    }
  }
}

TEST_F(ConsoleShapes, RowsComeInPgBouncersOrder) {
  const Connection client(process_->Conninfo());
  ASSERT_EQ(client.Value("select 1"), "1");
  const Connection console = Console(*process_);
  EXPECT_EQ(FirstColumn(console.Exec("show lists")),
            "databases users peers pools peer_pools free_clients used_clients login_clients "
            "free_servers used_servers dns_names dns_zones dns_queries dns_pending");
  EXPECT_EQ(FirstColumn(console.Exec("show state")), "active paused suspended");
  EXPECT_EQ(FirstColumn(console.Exec("show pools")), "pgbouncer postgres");
  EXPECT_EQ(FirstColumn(console.Exec("show stats")), "pgbouncer postgres");
  EXPECT_EQ(FirstColumn(console.Exec("show databases")), "pgbouncer postgres");
  std::string totals;
  for (const char* kind : {"total_", "avg_"}) {
    for (const char* name :
         {"server_assignment_count", "xact_count", "query_count", "client_bytes", "server_bytes",
          "xact_time", "query_time", "wait_time", "ps_client_parse_count", "ps_server_parse_count",
          "ps_bind_count", "client_login_count"}) {
      totals += fmt::format("{}{}{}", totals.empty() ? "" : " ", kind, name);
    }
  }
  EXPECT_EQ(FirstColumn(console.Exec("show totals")), totals);
}

TEST_F(ConsoleShapes, VersionIsOneThatToolsCanRead) {
  const Connection console = Console(*process_);
  EXPECT_EQ(console.Value("show version").rfind("PgBouncer 1.25.0 (pgweir ", 0), 0u);
  EXPECT_EQ(console.Parameter("server_version"), "1.25.0/bouncer");
  EXPECT_EQ(console.Parameter("client_encoding"), "UTF8");
  EXPECT_EQ(console.Parameter("server_encoding"), "UTF8");
  EXPECT_EQ(console.Parameter("DateStyle"), "ISO");
  EXPECT_EQ(console.Parameter("TimeZone"), "GMT");
  EXPECT_EQ(console.Parameter("standard_conforming_strings"), "on");
  EXPECT_EQ(console.Parameter("is_superuser"), "on");
}

TEST_F(ConsoleShapes, BinaryAndTextSayTheSame) {
  const Connection console = Console(*process_);
  const Result result = console.ExecParams("show databases", {}, 1);
  const int port = PQfnumber(result.get(), "port");
  ASSERT_EQ(PQgetlength(result.get(), 0, port), 4);
  const auto* bytes = reinterpret_cast<const unsigned char*>(PQgetvalue(result.get(), 0, port));
  EXPECT_EQ(bytes[2] << 8 | bytes[3], process_->port());
}

TEST_F(ConsoleShapes, ClientsAndServersNameEachOther) {
  const Connection client(process_->Conninfo() + " application_name=worker");
  ASSERT_TRUE(client.Exec("begin").ok());
  const std::string pid = client.Value("select pg_backend_pid()");
  const Connection console = Console(*process_);
  const auto of_client = [&](const char* column) {
    return Cell(console, "clients", "application_name", "worker", column);
  };
  const auto of_server = [&](const char* column) {
    return Cell(console, "servers", "remote_pid", pid, column);
  };
  EXPECT_EQ(of_client("state"), "active");
  EXPECT_EQ(of_server("state"), "active");
  EXPECT_NE(of_client("link"), "");
  EXPECT_EQ(of_client("link"), of_server("ptr"));
  EXPECT_EQ(of_server("link"), of_client("ptr"));
  EXPECT_EQ(of_server("application_name"), "worker");
  EXPECT_EQ(of_server("port"), std::to_string(server().port()));
  EXPECT_EQ(of_client("addr"), "127.0.0.1");
  EXPECT_EQ(of_client("local_port"), std::to_string(process_->port()));
  // As Datadog reads it: the date, the time, and a zone.
  EXPECT_THAT(of_client("connect_time"),
              testing::MatchesRegex("....-..-.. ..:..:.. .*[A-Z0-9+-]+"));
  EXPECT_EQ(Cell(console, "sockets", "application_name", "worker", "state"), "cl_active");
  EXPECT_EQ(Cell(console, "active_sockets", "remote_pid", pid, "state"), "sv_active");
  EXPECT_EQ(Cell(console, "pools", "database", "postgres", "sv_active"), "1");
  ASSERT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(of_client("state"), "idle");
  EXPECT_EQ(of_client("link"), "");
  EXPECT_EQ(of_server("state"), "idle");
  EXPECT_EQ(Cell(console, "pools", "database", "postgres", "sv_active"), "0");
}

TEST_F(ConsoleShapes, StatisticsCountWhatClientsDo) {
  const PgweirProcess process(ConsoleOptions());
  const Connection console = Console(process);
  const Connection client(process.Conninfo());
  ASSERT_EQ(client.Value("select 1"), "1");
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("select pg_sleep(0.05)").ok());
  ASSERT_TRUE(client.Exec("commit").ok());
  ASSERT_TRUE(client.ExecParams("select $1::int", {"1"}).ok());
  const auto stat = [&](const char* column) {
    return std::stoll(Cell(console, "stats_totals", "database", "postgres", column));
  };
  EXPECT_EQ(stat("query_count"), 5);
  EXPECT_EQ(stat("xact_count"), 3);
  EXPECT_EQ(stat("server_assignment_count"), 3);
  EXPECT_EQ(stat("client_login_count"), 1);
  EXPECT_EQ(stat("client_parse_count"), 1);
  EXPECT_EQ(stat("server_parse_count"), 1);
  EXPECT_EQ(stat("bind_count"), 1);
  EXPECT_GE(stat("query_time"), 50'000);
  EXPECT_LT(stat("query_time"), 5'000'000);
  EXPECT_GE(stat("xact_time"), stat("query_time"));
  EXPECT_GT(stat("wait_time"), 0);  // for the first backend
  EXPECT_GT(stat("bytes_received"), 60);
  EXPECT_GT(stat("bytes_sent"), 300);
  const int64_t sent = stat("bytes_sent");
  ASSERT_TRUE(client.Exec("select repeat('x', 100000)").ok());
  EXPECT_GE(stat("bytes_sent"), sent + 100'000);
  EXPECT_LT(stat("bytes_sent"), sent + 101'000);
}

TEST_F(ConsoleShapes, StatsUsersMayLookOnlyAndOthersMayNot) {
  const Connection watcher = Console(*process_, "watcher", "pgbouncer");
  EXPECT_TRUE(watcher.Exec("show pools").ok());
  for (const char* command : {"pause", "resume", "kill", "kill_client 1", "disable postgres",
                              "enable postgres", "reconnect", "reload", "wait_close", "suspend",
                              "shutdown", "set query_timeout = 1", "show fds"}) {
    const Result refused = watcher.Exec(command);
    EXPECT_EQ(refused.sqlstate(), "08P01") << command;
    EXPECT_THAT(refused.message(), testing::HasSubstr("admin access needed")) << command;
  }
  const Connection stranger = Console(*process_, "stranger");
  EXPECT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.refusal(), "28000");
}

TEST_F(ConsoleShapes, WhoRunsPgweirNeedsNoPasswordOverTheUnixSocket) {
  PgweirOptions options = ConsoleOptions();
  options.auth = "method = \"scram-sha-256\"\nusers_file = \"users.txt\"";
  const PgweirProcess process(options);
  for (const char* name : {"pgbouncer", "pgweir"}) {
    const Connection console(fmt::format("host={} port={} user={} dbname={}", process.folder(),
                                         process.port(), name, name));
    ASSERT_TRUE(console.ok()) << console.error();
    EXPECT_TRUE(console.Exec("reconnect").ok());
  }
  const Connection by_tcp(process.Conninfo("pgbouncer", "pgbouncer") + " password=x");
  EXPECT_EQ(by_tcp.refusal(), "28P01");
  const Connection to_database(
      fmt::format("host={} port={} user=pgbouncer dbname=postgres password=x", process.folder(),
                  process.port()));
  EXPECT_EQ(to_database.refusal(), "28P01");
  const Connection with_password(process.Conninfo("postgres", "pgweir") +
                                 " password=postgres-secret");
  EXPECT_TRUE(with_password.ok()) << with_password.error();
}

TEST_F(ConsoleShapes, ConsoleLetsInWhenClientsAreTooMany) {
  PgweirOptions options = ConsoleOptions();
  options.listen += "\nmax_clients = 1";
  const PgweirProcess process(options);
  const Connection client(process.Conninfo());
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(Connection(process.Conninfo()).refusal(), "53300");
  EXPECT_TRUE(Console(process).ok());
}

// --- the protocol ---

TEST_F(ConsoleShapes, ErrorInABatchSkipsToSync) {
  RawClient client = RawClient::Login(process_->port(), "postgres", "pgweir");
  client.Send(fe::Parse("a", "show state") + fe::Parse("b", "frob") + fe::Parse("c", "show lists") +
              fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1EZ");
  client.Send(fe::Bind("", "c") + fe::Sync());
  const auto messages = client.ReadUntilReady();
  EXPECT_EQ(Types(messages), "EZ");
  EXPECT_EQ(Field(messages[0], 'C'), "26000");
  client.Send(fe::Bind("", "a") + fe::Describe('P', "") + fe::Execute("") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "2TDDDCZ");
}

TEST_F(ConsoleShapes, PortalsGiveRowsByPieces) {
  RawClient client = RawClient::Login(process_->port(), "postgres", "pgweir");
  client.Send(fe::Parse("", "show state") + fe::Bind("p", "") + fe::Execute("p", 2) +
              fe::Execute("p", 2) + fe::Close('P', "p") + fe::Execute("p") + fe::Sync());
  const auto messages = client.ReadUntilReady();
  EXPECT_EQ(Types(messages), "12DDsDC3EZ");
  EXPECT_EQ(Field(*Find(messages, 'E'), 'C'), "34000");
}

TEST_F(ConsoleShapes, StatementsAreDescribedWithoutRunning) {
  RawClient client = RawClient::Login(process_->port(), "postgres", "pgweir");
  client.Send(fe::Parse("", "reload") + fe::Describe('S', "") + fe::Parse("", "show version") +
              fe::Describe('S', "") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1tn1tTZ");
}

TEST_F(ConsoleShapes, TextOfSeveralStatementsEndsAtTheFirstError) {
  RawClient client = RawClient::Login(process_->port(), "postgres", "pgweir");
  EXPECT_EQ(Types(client.Query("show version; show peers; frob; show version")), "TDCTCEZ");
  EXPECT_EQ(Types(client.Query(" ; ")), "IZ");
  EXPECT_EQ(Types(client.Query("set client_encoding to 'UTF8'")), "NCZ");
  EXPECT_EQ(Types(client.Query("show help")), "NCZ");
  const auto begun = client.Query("begin");
  EXPECT_EQ(begun.back().body, "T");
  EXPECT_EQ(client.Query("rollback").back().body, "I");
}

TEST_F(ConsoleShapes, SelectOneAndSettingsAnswerDrivers) {
  const Connection console = Console(*process_);
  EXPECT_EQ(console.Value("select 1"), "1");
  EXPECT_EQ(console.Value("show client_encoding"), "UTF8");
  EXPECT_EQ(console.Value("show transaction isolation level"), "read committed");
  const Result unknown = console.Exec("show nonsense");
  EXPECT_EQ(unknown.sqlstate(), "08P01");
  EXPECT_THAT(unknown.message(), testing::HasSubstr("use SHOW HELP;"));
}

TEST_F(ConsoleShapes, ParametersAreRefused) {
  const Connection console = Console(*process_);
  EXPECT_EQ(console.ExecParams("show pools", {"1"}).sqlstate(), "08P01");
  EXPECT_TRUE(console.ExecParams("show pools", {}).ok());
}

TEST_F(ConsoleShapes, PinsAreListedByReason) {
  const Connection client(process_->Conninfo());
  ASSERT_TRUE(client.Exec("listen news").ok());
  const Connection console = Console(*process_);
  EXPECT_TRUE(WaitCell(console, "session_state", "reason", "LISTEN", "kind", "pin"));
  EXPECT_EQ(Cell(console, "session_state", "reason", "LISTEN", "count"), "1");
}

}  // namespace
}  // namespace pgweir::test
