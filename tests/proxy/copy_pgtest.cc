// COPY both ways, large objects and replication streams, directly and through pgweir.

#include <libpq/libpq-fs.h>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Copy : public BothWays {
 protected:
  static void Send(const Connection& connection, std::string_view data) {
    while (!data.empty()) {
      std::string_view part = data.substr(0, 60'000);
      ASSERT_EQ(PQputCopyData(connection.get(), part.data(), static_cast<int>(part.size())), 1);
      data.remove_prefix(part.size());
    }
  }

  static std::string CopyOut(const Connection& connection, const std::string& sql) {
    EXPECT_EQ(connection.Exec(sql).status(), PGRES_COPY_OUT) << connection.error();
    std::string all;
    char* row = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection.get(), &row, 0)) > 0; PQfreemem(row)) {
      all.append(row, static_cast<size_t>(size));
    }
    while (connection.Next()) {
    }
    return all;
  }

  static void CopyIn(const Connection& connection, const std::string& sql, std::string_view data) {
    ASSERT_EQ(connection.Exec(sql).status(), PGRES_COPY_IN) << connection.error();
    Send(connection, data);
    ASSERT_EQ(PQputCopyEnd(connection.get(), nullptr), 1);
    std::optional<Result> result = connection.Next();
    ASSERT_TRUE(result && result->ok()) << connection.error();
    while (connection.Next()) {
    }
  }
};

// Rules 56 and 60: what goes in comes out again, byte for byte.
TEST_P(Copy, KeepsEveryByteInEveryFormat) {
  Connection connection(Conninfo());
  for (const char* format : {"text", "csv", "binary"}) {
    server().Query("drop table if exists from_server, to_server");
    server().Query(
        "create table from_server as select n, n * 1.5::numeric as price, md5(n::text) as digest, "
        "case when n % 7 = 0 then null else E'tab\\t \"quote\" \\\\ \\n' || n end as text "
        "from generate_series(1, 60000) n; create table to_server (like from_server)");
    std::string out =
        CopyOut(connection, fmt::format("copy from_server to stdout (format {})", format));
    EXPECT_GT(out.size(), 3u << 20);
    CopyIn(connection, fmt::format("copy to_server from stdin (format {})", format), out);
    EXPECT_TRUE(CopyOut(connection, fmt::format("copy to_server to stdout (format {})", format)) ==
                out);
    EXPECT_EQ(server().Query("select count(*) from (table from_server except table to_server) d"),
              "0");
  }
}

// Rule 56: Flush and Sync within a COPY are ignored.
TEST_P(Copy, IgnoresSyncAndFlushWithinItsData) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Query("copy into_it from stdin"));
  client.Expect('G');
  client.Send(fe::CopyData("1\n") + fe::Sync() + fe::Flush() + fe::CopyData("2\n") + fe::Sync() +
              fe::CopyDone());
  EXPECT_EQ(Types(client.ReadUntilReady()), "CZ");
  EXPECT_TRUE(client.Silent(50));
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
  EXPECT_EQ(server().Query("select sum(n) from into_it"), "3");
}

// Rule 57: a Sync sent before CopyDone is swallowed by the server; the one after it counts.
TEST_P(Copy, InExtendedCountsOnlyTheSyncAfterCopyDone) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  std::string start = fe::Parse("", "copy into_it from stdin") + fe::Bind("", "") + fe::Execute("");
  client.Send(start + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntil('G')), "12G");
  client.Send(fe::CopyData("1\n") + fe::CopyDone() + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "CZ");
  EXPECT_TRUE(client.Silent(50));
  // All of it at once.
  client.Send(start + fe::Sync() + fe::CopyData("2\n") + fe::CopyDone() + fe::Sync() +
              fe::Query("select 1"));
  EXPECT_EQ(Types(client.ReadUntilReady()), "12GCZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
  // Without the early Sync.
  client.Send(start + fe::Flush());
  client.ReadUntil('G');
  client.Send(fe::CopyData("4\n") + fe::CopyDone() + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "CZ");
  EXPECT_EQ(server().Query("select sum(n) from into_it"), "7");
}

// Rule 58: what the client still sends after the server has given up goes to nobody else.
TEST_P(Copy, LateDataAfterAServerErrorIsSwallowed) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Query("copy into_it from stdin"));
  client.Expect('G');
  client.Send(fe::CopyData("not a number\n"));
  EXPECT_EQ(Types(client.ReadUntilReady()), "EZ");
  Connection other(Conninfo());
  for (int i = 0; i < 20; ++i) {
    client.Send(fe::CopyData("1\n"));
    EXPECT_EQ(other.Value("select 'mine'"), "mine");
  }
  client.Send(fe::CopyDone());
  EXPECT_TRUE(client.Silent(50));
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
  EXPECT_EQ(server().Query("select count(*) from into_it"), "0");
}

// Rule 58, extended: the server skips to the Sync.
TEST_P(Copy, LateDataInExtendedIsSkippedUpToItsSync) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Parse("", "copy into_it from stdin") + fe::Bind("", "") + fe::Execute("") +
              fe::Flush());
  client.ReadUntil('G');
  client.Send(fe::CopyData("not a number\n"));
  client.Expect('E');
  EXPECT_TRUE(client.Silent(50));
  client.Send(fe::CopyData("1\n") + fe::CopyDone() + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

// Rule 59
TEST_P(Copy, FailedByTheClientIsAnErrorOfItsStatement) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Query("copy into_it from stdin"));
  client.Expect('G');
  client.Send(fe::CopyData("1\n") + fe::CopyFail("changed my mind"));
  std::vector<Message> simple = client.ReadUntilReady();
  EXPECT_EQ(Types(simple), "EZ");
  EXPECT_EQ(Field(simple.front(), 'C'), "57014");

  client.Send(fe::Parse("", "copy into_it from stdin") + fe::Bind("", "") + fe::Execute("") +
              fe::Flush());
  client.ReadUntil('G');
  client.Send(fe::CopyFail("again"));
  client.Expect('E');
  EXPECT_TRUE(client.Silent(50));
  client.Send(fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  EXPECT_EQ(server().Query("select count(*) from into_it"), "0");
}

// Rule 56: anything else aborts the COPY; the server then gives up the session as well.
TEST_P(Copy, IsAbortedByAnotherMessage) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Query("copy into_it from stdin"));
  client.Expect('G');
  client.Send(fe::CopyData("1\n") + fe::Query("select 1"));
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
  client.Close();
  EXPECT_EQ(Connection(Conninfo()).Value("select count(*) from into_it"), "0");
}

// Several statements of one message, COPY among them.
TEST_P(Copy, StandsBetweenOtherStatements) {
  server().Query("drop table if exists into_it; create table into_it (n int)");
  RawClient client = RawClient::Login(port());
  client.Send(fe::Query("select 1; copy into_it from stdin; copy into_it to stdout; select 2"));
  EXPECT_EQ(Types(client.ReadUntil('G')), "TDCG");
  client.Send(fe::CopyData("5\n") + fe::CopyDone());
  EXPECT_EQ(Types(client.ReadUntilReady()), "CHdcCTDCZ");
}

TEST_P(Copy, LargeObjectsComeBackAsTheyWere) {
  TempFolder folder("lob");
  std::string content(3 << 20, 'l');
  for (size_t at = 0; at < content.size(); at += 997) content[at] = static_cast<char>(at);
  WriteFile(folder.File("in"), content);
  Connection connection(Conninfo());
  connection.Exec("begin");
  Oid object = lo_import(connection.get(), folder.File("in").c_str());
  ASSERT_NE(object, 0u) << connection.error();
  EXPECT_EQ(lo_export(connection.get(), object, folder.File("out").c_str()), 1);
  EXPECT_TRUE(ReadFile(folder.File("out")) == content);
  EXPECT_EQ(lo_unlink(connection.get(), object), 1);
  EXPECT_TRUE(connection.Exec("commit").ok());
}

PGWEIR_BOTH_WAYS(Copy);

// Rules 9 and 61: a replication connection has a server connection of its own.
class Replication : public ProxyTest {
 protected:
  static std::unique_ptr<PostgresServer> Primary() {
    return std::make_unique<PostgresServer>(PostgresOptions{
        .hba = {"host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"},
        .settings = {"wal_level = replica", "max_wal_senders = 5"}});
  }
};

TEST_F(Replication, CommandsReachTheServerAndTheConnectionIsNotPooled) {
  auto primary = Primary();
  PgweirProcess process({.pool = "size = 1", .databases = DatabaseToml("*", primary->port())});
  Connection ordinary(process.Conninfo());
  ordinary.Exec("begin");
  {
    Connection replication(process.Conninfo() + " replication=database");
    ASSERT_TRUE(replication.ok()) << replication.error();
    Result system = replication.Exec("IDENTIFY_SYSTEM");
    EXPECT_EQ(system.Value(0, 3), "postgres") << system.message();
    EXPECT_EQ(system.Value(), primary->Query("select system_identifier from pg_control_system()"));
  }
  EXPECT_TRUE(primary->WaitBackends(1, std::chrono::seconds(5)));
  EXPECT_TRUE(ordinary.Exec("commit").ok());
}

TEST_F(Replication, BaseBackupStreamsThrough) {
  auto primary = Primary();
  PgweirProcess process({.pool = "size = 1", .databases = DatabaseToml("*", primary->port())});
  TempFolder folder("backup");
  CommandResult backup =
      RunCommand({.argv = {"/usr/lib/postgresql/15/bin/pg_basebackup", "-d", process.Conninfo(),
                           "-D", folder.File("data"), "-X", "stream", "-c", "fast"}});
  EXPECT_EQ(backup.status, 0) << backup.output;
  EXPECT_NE(ReadFile(folder.File("data/backup_label")), "");
}

}  // namespace
}  // namespace pgweir::test
