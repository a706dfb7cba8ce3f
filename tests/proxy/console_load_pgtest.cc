// The console while there is work: PAUSE and RESUME under pgbench, and the tools that read it.

#include <gmock/gmock.h>

#include <chrono>
#include <regex>
#include <thread>

#include "fmt/format.h"
#include "tests/support/console_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConsoleLoad : public ConsoleTest {};

TEST_F(ConsoleLoad, PauseAndResumeUnderPgbenchFailNoTransaction) {
  server().Query("create database bench");
  PgweirOptions options = ConsoleOptions("", "size = 5\nwait_timeout = \"0s\"");
  options.databases += DatabaseToml("bench", server().port());
  const PgweirProcess process(options);
  const std::string port = std::to_string(process.port());
  const CommandResult made =
      RunCommand({.argv = {"/usr/lib/postgresql/15/bin/pgbench", "-i", "-s", "1", "-q", "-h",
                           "127.0.0.1", "-p", port, "-U", "postgres", "bench"}});
  ASSERT_EQ(made.status, 0) << made.output;
  CommandResult bench;
  std::thread load([&] {
    // A thread for each client: pgbench's others can't go on while one of theirs prepares.
    bench = RunCommand(
        {.argv = {"/usr/lib/postgresql/15/bin/pgbench", "-n", "-c", "8", "-j", "8", "-T", "5", "-M",
                  "prepared", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "bench"}});
  });
  const Connection console = Console(process);
  int pauses = 0;
  std::this_thread::sleep_for(milliseconds(500));
  for (; pauses < 8; ++pauses) {
    const Result paused = console.Exec(pauses % 2 == 0 ? "pause bench" : "pause");
    EXPECT_TRUE(paused.ok()) << paused.message();
    // The servers need a moment to notice.
    EXPECT_TRUE(server().WaitBackends(0, seconds(5), "datname = 'bench'"));
    const Result resumed = console.Exec(pauses % 2 == 0 ? "resume bench" : "resume");
    EXPECT_TRUE(resumed.ok()) << resumed.message();
    std::this_thread::sleep_for(milliseconds(200));
    EXPECT_TRUE(console.Exec("reconnect; show clients; show servers; show pools").ok());
    EXPECT_TRUE(console.Exec("suspend").ok());
    EXPECT_TRUE(console.Exec("resume").ok());
  }
  load.join();
  EXPECT_EQ(bench.status, 0) << bench.output;
  EXPECT_THAT(bench.output, testing::HasSubstr("number of failed transactions: 0"));
  std::smatch done;
  ASSERT_TRUE(std::regex_search(bench.output, done,
                                std::regex("transactions actually processed: ([0-9]+)")));
  // What pgbench did, and its few questions of the beginning.
  const int64_t counted =
      std::stoll(Cell(console, "stats_totals", "database", "bench", "xact_count"));
  EXPECT_GE(counted, std::stoll(done[1]));
}

// Pools of another size, users, another secret, and a file that can't be read, while all work.
TEST_F(ConsoleLoad, ReloadsUnderPgbenchFailNoTransaction) {
  server().Query("create database reloads");
  const auto options = [](std::string_view pool) {
    PgweirOptions made = ConsoleOptions("", pool);
    made.databases += DatabaseToml("reloads", server().port());
    return made;
  };
  PgweirProcess process(options("size = 5"));
  const std::string port = std::to_string(process.port());
  const CommandResult made =
      RunCommand({.argv = {"/usr/lib/postgresql/15/bin/pgbench", "-i", "-s", "1", "-q", "-h",
                           "127.0.0.1", "-p", port, "-U", "postgres", "reloads"}});
  ASSERT_EQ(made.status, 0) << made.output;
  CommandResult bench;
  std::thread load([&] {
    bench = RunCommand(
        {.argv = {"/usr/lib/postgresql/15/bin/pgbench", "-n", "-c", "8", "-j", "8", "-T", "4", "-M",
                  "prepared", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "reloads"}});
  });
  std::this_thread::sleep_for(milliseconds(500));
  for (int i = 0; i < 5; ++i) {
    PgweirOptions changed = options(i % 2 == 0 ? "size = 2\nidle_timeout = \"1s\"" : "size = 7");
    changed.users += fmt::format("\"user{}\" \"secret\"\n", i);
    process.Rewrite(changed);
    EXPECT_TRUE(process.Reload("reloaded"));
    std::this_thread::sleep_for(milliseconds(300));
    process.Rewrite(options("size = \"many\""));
    EXPECT_TRUE(process.Reload("the old configuration stays"));
  }
  load.join();
  EXPECT_EQ(bench.status, 0) << bench.output;
  EXPECT_THAT(bench.output, testing::HasSubstr("number of failed transactions: 0"));
}

// Debian's package, as it is installed.
TEST_F(ConsoleLoad, DebiansExporterReadsTheConsole) {
  const PgweirProcess process(ConsoleOptions("old_columns = true"));
  const Connection client(process.Conninfo());
  ASSERT_EQ(client.Value("select 1"), "1");
  const std::string port = std::to_string(FreePort());
  ChildProcess exporter(
      {.argv = {"/usr/bin/prometheus-pgbouncer-exporter", "--host", "127.0.0.1", "--port", port,
                "--pgbouncer-host", "127.0.0.1", "--pgbouncer-port", std::to_string(process.port()),
                "--pgbouncer-user", "watcher"}});
  const std::string url = fmt::format("http://127.0.0.1:{}/metrics", port);
  const std::string fetch = fmt::format(
      "import urllib.request; print(urllib.request.urlopen('{}').read().decode())", url);
  CommandResult metrics;
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  do {
    ASSERT_TRUE(exporter.Running());
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << metrics.output;
    std::this_thread::sleep_for(milliseconds(200));
    metrics = RunCommand({.argv = {"/usr/bin/python3", "-c", fetch}});
  } while (metrics.status != 0);
  exporter.Kill();
  for (const char* line : {"pgbouncer_requests_total{database=\"postgres\"} 1.0",
                           "pgbouncer_active_clients{database=\"postgres\",user=\"postgres\"} 1.0",
                           "pgbouncer_pool_size{database=\"postgres\"} 5.0",
                           "pgbouncer_databases 2.0", "pgbouncer_used_servers 1.0"}) {
    EXPECT_THAT(metrics.output, testing::HasSubstr(line));
  }
}

// psycopg2, by columns' names; rows of database pgbouncer are passed over; times have a zone.
TEST_F(ConsoleLoad, DatadogsQueriesGetTheirShapes) {
  const PgweirProcess process(ConsoleOptions());
  const Connection client(process.Conninfo());
  ASSERT_EQ(client.Value("select 1"), "1");
  const std::string script = fmt::format(R"(
import datetime, re, psycopg2, psycopg2.extras
c = psycopg2.connect(host='127.0.0.1', port={}, user='watcher', dbname='pgbouncer')
c.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
def rows(table):
    with c.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor:
        cursor.execute('SHOW ' + table)
        return cursor.fetchall()
def mine(table):
    return [r for r in rows(table) if r['database'] == 'postgres'][0]
stats = mine('STATS')
for name in ('avg_query_time', 'avg_recv', 'avg_sent', 'total_query_count', 'total_received',
             'total_sent', 'total_query_time', 'total_xact_count', 'avg_wait_time'):
    float(stats[name])
pools = mine('POOLS')
for name in ('cl_active', 'cl_waiting', 'sv_active', 'sv_idle', 'sv_used', 'sv_tested', 'sv_login',
             'maxwait', 'maxwait_us'):
    assert isinstance(pools[name], int), name
assert pools['user'] and pools['pool_mode'] == 'transaction'
databases = [r for r in rows('DATABASES') if r['name'] == 'postgres'][0]
for name in ('pool_size', 'max_connections', 'current_connections', 'reserve_pool_size'):
    assert isinstance(databases[name], int), name
assert databases['host'] == '127.0.0.1' and databases['port'] > 0
config = dict((r[0], r[1]) for r in rows('CONFIG'))
assert int(config['max_client_conn']) == 10000
for table in ('CLIENTS', 'SERVERS'):
    for r in rows(table):
        text, zone = r['connect_time'].rsplit(' ', 1)
        datetime.datetime.strptime(text, '%Y-%m-%d %H:%M:%S')
        assert zone, r['connect_time']
assert re.search(r'\d+\.\d+\.\d+', rows('VERSION')[0][0]).group() == '1.25.0'
print('fine')
)",
                                         process.port());
  const CommandResult result = RunCommand({.argv = {"/usr/bin/python3", "-c", script}});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr("fine"));
}

}  // namespace
}  // namespace pgweir::test
