// The slow-query log: which statements are in it, and where it says that their time went.

#include <gmock/gmock.h>

#include <numeric>
#include <thread>

#include "fmt/format.h"
#include "tests/proxy/slow_log_lines.h"
#include "tests/support/proxy_test.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class SlowLog : public ProxyTest {
 protected:
  static PgweirOptions Options(std::string_view slow_log = "threshold = \"0ms\"",
                               std::string pool = "size = 5") {
    return {.pool = std::move(pool),
            .databases = DatabaseToml("*", server().port()) +
                         fmt::format("[slow_log]\npath = \"@/slow.json\"\n{}\n", slow_log)};
  }

  static std::string Get(const std::string& line, std::string_view path) {
    return ValueAt(server(), line, path);
  }
  static int64_t Micros(const std::string& line, std::string_view name) {
    const std::string value = Get(line, fmt::format("pgweir,{}", name));
    return value.empty() ? -1 : std::stoll(value);
  }
  // All of it, but for what is cut off of each part.
  static void ExpectSum(const std::string& line) {
    int64_t sum = 0;
    for (const char* part :
         {"route_us", "wait_us", "sync_us", "ahead_us", "backend_us", "transfer_us"}) {
      sum += Micros(line, part);
    }
    EXPECT_LE(sum, Micros(line, "total_us")) << line;
    EXPECT_GE(sum, Micros(line, "total_us") - 6) << line;
  }
  // `part` is all of the statement's time but for 5 %.
  static void ExpectBlame(const std::string& line, std::string_view part, milliseconds at_least) {
    ExpectSum(line);
    EXPECT_GE(Micros(line, part), at_least.count() * 1000) << line;
    EXPECT_GE(Micros(line, part), Micros(line, "total_us") * 95 / 100) << line;
  }
};

TEST_F(SlowLog, SaysWhoAskedWhatAndWhatCameOfIt) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo() + " application_name=books");
  ASSERT_TRUE(client.Exec("select n from generate_series(1, 3) n where n > 0").ok());
  const std::string line = LineWith(process, "generate_series");
  EXPECT_THAT(Get(line, "message"),
              MatchesRegex("duration: [0-9]+\\.[0-9]+ ms  rows: 3  size: [0-9]+ bytes  statement: "
                           "select n from generate_series\\(1, 3\\) n where n > 0"));
  EXPECT_EQ(Get(line, "error_severity"), "LOG");
  EXPECT_EQ(Get(line, "user"), "postgres");
  EXPECT_EQ(Get(line, "dbname"), "postgres");
  EXPECT_EQ(Get(line, "remote_host"), "127.0.0.1");
  EXPECT_EQ(Get(line, "application_name"), "books");
  EXPECT_EQ(Get(line, "ps"), "SELECT");
  EXPECT_EQ(Get(line, "pgweir,rows"), "3");
  EXPECT_EQ(Get(line, "pgweir,cached"), "false");
  EXPECT_EQ(Get(line, "pgweir,role"), "primary");
  EXPECT_EQ(Get(line, "pgweir,retries"), "0");
  EXPECT_THAT(Get(line, "pgweir,digest"), MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(Get(line, "pgweir,server_pid"), client.Value("select pg_backend_pid()"));
  // RowDescription, three DataRows, CommandComplete, ReadyForQuery.
  EXPECT_EQ(Get(line, "pgweir,bytes"), std::to_string(27 + 3 * 12 + 14 + 6));
  ExpectSum(line);
}

TEST_F(SlowLog, HasTheParametersOfWhatWasPrepared) {
  for (const char* mode : {"transaction", "session"}) {
    PgweirProcess process(Options("threshold = \"0ms\"", fmt::format("mode = \"{}\"", mode)));
    Connection client(process.Conninfo());
    const char* const values[] = {"41", "it's"};
    const Oid types[] = {23, 25};
    PGresult* const unnamed = PQexecParams(client.get(), "select $1 + 1, $2 as unnamed", 2, types,
                                           values, nullptr, nullptr, 0);
    EXPECT_EQ(Result(unnamed).Value(), "42");
    std::string line = LineWith(process, "unnamed\"");
    EXPECT_THAT(Get(line, "message"), HasSubstr("execute <unnamed>: select $1 + 1, $2 as unnamed"));
    EXPECT_EQ(Get(line, "detail"), "parameters: $1 = '41', $2 = 'it''s'");

    ASSERT_TRUE(Result(PQprepare(client.get(), "books", "select $1::int as named", 1, types)).ok());
    const char binary[] = {0, 0, 1, 0};
    const char* const integer[] = {binary};
    const int length[] = {4}, format[] = {1};
    const Result named(PQexecPrepared(client.get(), "books", 1, integer, length, format, 0));
    EXPECT_EQ(named.Value(), "256") << named.message();
    line = LineWith(process, "as named");
    EXPECT_THAT(Get(line, "message"), HasSubstr("execute books: select $1::int as named")) << mode;
    EXPECT_EQ(Get(line, "detail"), "parameters: $1 = '256'") << mode;
  }
}

TEST_F(SlowLog, HasErrorsWhateverTheirTime) {
  PgweirProcess process(Options("threshold = \"1h\"", "size = 1\nwait_timeout = \"300ms\""));
  Connection client(process.Conninfo());
  EXPECT_EQ(client.Exec("select 1 / 0 as nothing").sqlstate(), "22012");
  std::string line = LineWith(process, "as nothing");
  EXPECT_EQ(Get(line, "state_code"), "22012");
  EXPECT_EQ(Get(line, "error_severity"), "ERROR");
  EXPECT_EQ(Get(line, "message"), "division by zero");
  EXPECT_EQ(Get(line, "statement"), "select 1 / 0 as nothing");

  // At its Parse, with the Bind and Execute behind it.
  EXPECT_EQ(Result(PQexecParams(client.get(), "select missing from nowhere", 0, nullptr, nullptr,
                                nullptr, nullptr, 0))
                .sqlstate(),
            "42P01");
  line = LineWith(process, "missing");
  EXPECT_EQ(Get(line, "state_code"), "42P01");
  // Prepared only.
  EXPECT_EQ(Result(PQprepare(client.get(), "", "selekt", 0, nullptr)).sqlstate(), "42601");
  EXPECT_EQ(Get(LineWith(process, "selekt"), "state_code"), "42601");

  client.Exec("set statement_timeout = '50ms'");
  EXPECT_EQ(client.Exec("select pg_sleep(5) as long").sqlstate(), "57014");
  line = LineWith(process, "as long");
  EXPECT_EQ(Get(line, "state_code"), "57014");
  EXPECT_GE(Micros(line, "backend_us"), 50'000);

  // By pgweir itself: the one backend is another's.
  client.Exec("begin");
  Connection waiting(process.Conninfo());
  EXPECT_EQ(waiting.Exec("select 'waited'").sqlstate(), "53300");
  line = LineWith(process, "waited");
  EXPECT_EQ(Get(line, "state_code"), "53300");
  ExpectBlame(line, "wait_us", milliseconds(300));
  EXPECT_EQ(Lines(process).size(), 5u);
}

TEST_F(SlowLog, HasWhatWasUnderWayWhenItsServerWasLost) {
  PgweirProcess process(Options("threshold = \"1h\""));
  Connection client(process.Conninfo());
  client.Exec("create temporary table kept (n int)");
  client.Send("select pg_terminate_backend(pg_backend_pid()) as last_words");
  while (client.Next()) {
  }
  EXPECT_EQ(Get(LineWith(process, "last_words"), "state_code"), "57P01");
}

TEST_F(SlowLog, BlamesASlowServer) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec("select 1");
  client.Exec("select pg_sleep(0.4) as slow_server");
  ExpectBlame(LineWith(process, "slow_server"), "backend_us", milliseconds(400));
}

TEST_F(SlowLog, BlamesTheQueue) {
  PgweirProcess process(Options("threshold = \"0ms\"", "size = 1"));
  Connection holder(process.Conninfo()), client(process.Conninfo());
  client.Exec("select 1");
  holder.Exec("begin");
  client.Send("select 'queued'");
  std::this_thread::sleep_for(milliseconds(400));
  holder.Exec("commit");
  while (client.Next()) {
  }
  ExpectBlame(LineWith(process, "queued"), "wait_us", milliseconds(350));
}

TEST_F(SlowLog, BlamesAConnectionThatHadToBeOpened) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo()), other(process.Conninfo());
  client.Exec("begin");
  other.Exec("select 'connects'");
  const std::string line = LineWith(process, "connects");
  EXPECT_GT(Micros(line, "connect_us"), Micros(line, "total_us") / 2) << line;
  EXPECT_LE(Micros(line, "connect_us"), Micros(line, "wait_us")) << line;
}

TEST_F(SlowLog, BlamesAClientThatDoesNotRead) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Query("select repeat('x', 1000) as unread from generate_series(1, 20000)"));
  std::this_thread::sleep_for(milliseconds(1500));
  client.ReadUntilReady();
  const std::string line = LineWith(process, "unread");
  ExpectSum(line);
  EXPECT_GE(Micros(line, "blocked_us"), 1'300'000) << line;
  EXPECT_LE(Micros(line, "blocked_us"), Micros(line, "transfer_us")) << line;
}

// Each its own, with what it waited for those before it.
TEST_F(SlowLog, SplitsAPipeline) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  std::string pipeline;
  for (int i = 1; i <= 3; ++i) {
    pipeline += fe::Parse("", fmt::format("select pg_sleep(0.2), $1::text as step{}", i)) +
                fe::Bind("", "", {fmt::format("value {}", i)}) + fe::Execute("") + fe::Sync();
  }
  client.Send(pipeline);
  for (int i = 0; i < 3; ++i) client.ReadUntilReady();
  for (int i = 1; i <= 3; ++i) {
    const std::string line = LineWith(process, fmt::format("step{}\"", i));
    ExpectSum(line);
    EXPECT_EQ(Get(line, "detail"), fmt::format("parameters: $1 = 'value {}'", i));
    EXPECT_NEAR(static_cast<double>(Micros(line, "backend_us")), 200'000, 40'000) << line;
    EXPECT_NEAR(static_cast<double>(Micros(line, "ahead_us")), 200'000 * (i - 1), 60'000) << line;
  }
}

// What an error makes the server skip was no statement.
TEST_F(SlowLog, LeavesOutWhatWasSkipped) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Parse("", "select 1 / 0 as first") + fe::Bind("", "") + fe::Execute("") +
              fe::Parse("", "select 'skipped'") + fe::Bind("", "") + fe::Execute("") + fe::Sync() +
              fe::Query("select 'behind'"));
  client.ReadUntilReady();
  client.ReadUntilReady();
  EXPECT_EQ(Get(LineWith(process, "as first"), "state_code"), "22012");
  EXPECT_THAT(LineWith(process, "behind"), HasSubstr("statement: select 'behind'"));
  for (const std::string& line : Lines(process)) EXPECT_THAT(line, Not(HasSubstr("skipped")));
}

// Whose answers come without a statement's: nobody else's is told in their place.
TEST_F(SlowLog, NeverHasAnotherClientsText) {
  PgweirOptions options = Options("threshold = \"1h\"");
  options.listen = "workers = 1";
  PgweirProcess process(options);
  {
    Connection one(process.Conninfo());
    const char* const values[] = {"of another"};
    ASSERT_TRUE(Result(PQexecParams(one.get(), "select $1::text as private", 1, nullptr, values,
                                    nullptr, nullptr, 0))
                    .ok());
    one.Exec("select 'private, too'");
  }
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Describe('S', "nosuch") + fe::Sync());
  client.ReadUntilReady();
  client.Send(fe::Bind("", "nosuch") + fe::Sync());
  client.ReadUntilReady();
  client.Send(fe::Query("select marker"));
  client.ReadUntilReady();
  LineWith(process, "marker");
  for (const std::string& line : Lines(process)) EXPECT_THAT(line, Not(HasSubstr("private")));
  EXPECT_EQ(Lines(process).size(), 3u);
}

// The server doesn't answer a Sync amid a COPY.
TEST_F(SlowLog, KeepsStepBehindACopy) {
  PgweirProcess process(Options());
  Connection setup(process.Conninfo());
  setup.Exec("drop table if exists copied; create table copied (n int)");
  RawClient client = RawClient::Login(process.port());
  for (int i = 0; i < 3; ++i) {
    client.Send(fe::Parse("", "copy copied from stdin") + fe::Bind("", "") + fe::Execute("") +
                fe::Sync());
    client.ReadUntil('G');
    client.Send(fe::CopyData("1\n") + fe::CopyDone() + fe::Sync());
    client.ReadUntilReady();
  }
  client.Send(fe::Query("select 'quick', n from copied"));
  client.ReadUntilReady();
  std::this_thread::sleep_for(milliseconds(300));
  client.Send(fe::Query("select 'last'"));
  client.ReadUntilReady();
  const std::string line = LineWith(process, "'quick'");
  EXPECT_EQ(Get(line, "pgweir,rows"), "3");
  EXPECT_LT(Micros(line, "total_us"), 250'000) << line;
  EXPECT_EQ(Get(LineWith(process, "'last'"), "pgweir,rows"), "1");
}

TEST_F(SlowLog, KnowsAPortalThatIsFetchedInPieces) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  client.Send(fe::Parse("", "select n, $1 as pieces from generate_series(1, 5) n") +
              fe::Bind("", "", {"seen"}) + fe::Describe('P', "") + fe::Flush());
  client.ReadUntil('T');
  client.Send(fe::Execute("", 3) + fe::Flush());
  client.ReadUntil('s');
  client.Send(fe::Execute("", 3) + fe::Sync());
  client.ReadUntilReady();
  ASSERT_TRUE(WaitUntil([&] { return Lines(process).size() == 2; }));
  const std::vector<std::string> lines = Lines(process);
  EXPECT_EQ(Get(lines[0], "pgweir,rows"), "3");
  EXPECT_EQ(Get(lines[1], "pgweir,rows"), "2");
  for (const std::string& line : lines) {
    EXPECT_THAT(Get(line, "message"), HasSubstr("as pieces from"));
    EXPECT_EQ(Get(line, "detail"), "parameters: $1 = 'seen'");
  }
}

// Statements that come while another's long answer is being read.
TEST_F(SlowLog, TellsOfAPipelineThatIsReadSlowly) {
  PgweirProcess process(Options());
  RawClient client = RawClient::Login(process.port());
  constexpr int kStatements = 40;
  std::string pipeline;
  for (int i = 0; i < kStatements; ++i) {
    pipeline += fe::Query(fmt::format("select repeat('x', 1000000) as big_{}", i));
  }
  client.Send(pipeline);
  client.ReadUntilReady();
  std::this_thread::sleep_for(milliseconds(300));
  for (int i = 1; i < kStatements; ++i) client.ReadUntilReady();
  ASSERT_TRUE(WaitUntil([&] { return Lines(process).size() == kStatements; }));
  const std::vector<std::string> lines = Lines(process);
  for (int i = 0; i < kStatements; ++i) {
    EXPECT_THAT(lines[static_cast<size_t>(i)], HasSubstr(fmt::format("as big_{}\"", i)));
  }
}

TEST_F(SlowLog, HasErrorsThatAreVeryLong) {
  PgweirProcess process(Options("threshold = \"1h\""));
  Connection client(process.Conninfo());
  client.Exec(
      "do $$ begin raise exception using errcode = '22023', message = repeat('x', 20000); end $$");
  EXPECT_EQ(Get(LineWith(process, "raise exception"), "state_code"), "22023");
}

TEST_F(SlowLog, NeverHasAPassword) {
  PgweirProcess process(Options("threshold = \"0ms\"", "size = 5"));
  Connection client(process.Conninfo());
  client.Exec("create role hidden password 'top-secret'");
  client.Exec("alter role hidden password 'top-secret-2'");
  client.Exec("select 'marker'");
  LineWith(process, "marker");
  for (const std::string& line : Lines(process)) EXPECT_THAT(line, Not(HasSubstr("top-secret")));
  EXPECT_THAT(LineWith(process, "create role"), HasSubstr("password $1"));
}

TEST_F(SlowLog, LeavesOutWhatIsRedacted) {
  PgweirProcess process(Options("threshold = \"0ms\"\nredact = \"literals\""));
  Connection client(process.Conninfo());
  const char* const values[] = {"hush"};
  ASSERT_TRUE(Result(PQexecParams(client.get(), "select $1::text, 'quiet' as redacted", 1, nullptr,
                                  values, nullptr, nullptr, 0))
                  .ok());
  const std::string line = LineWith(process, "redacted");
  EXPECT_THAT(line, Not(HasSubstr("hush")));
  EXPECT_THAT(line, Not(HasSubstr("quiet")));
}

TEST_F(SlowLog, HasTheTraceThatAStatementBelongsTo) {
  constexpr const char* kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  PgweirProcess process(Options());
  Connection client(process.Conninfo());
  client.Exec(fmt::format("select 'by comment' /*db_driver='x',traceparent='{}'*/", kTrace));
  EXPECT_EQ(Get(LineWith(process, "by comment"), "pgweir,traceparent"), kTrace);
  client.Exec(fmt::format("set pgweir.traceparent = '{}'", kTrace));
  client.Exec("select 'by setting'");
  EXPECT_EQ(Get(LineWith(process, "by setting"), "pgweir,traceparent"), kTrace);
  client.Exec("set pgweir.traceparent = 'nonsense'");
  client.Exec("select 'by nonsense'");
  EXPECT_THAT(LineWith(process, "by nonsense"), Not(HasSubstr("traceparent\":")));
}

TEST_F(SlowLog, ChangesWithAReload) {
  PgweirOptions options = Options("threshold = \"1h\"");
  PgweirProcess process(options);
  Connection client(process.Conninfo());
  client.Exec("select 'before'");
  PgweirOptions changed = Options("threshold = \"0ms\"");
  process.Rewrite(changed);
  ASSERT_TRUE(process.Reload());
  client.Exec("select 'after'");
  LineWith(process, "'after'");
  EXPECT_EQ(Lines(process).size(), 1u);
  // Moved away by who rotates logs.
  std::rename((process.folder() + "/slow.json").c_str(), (process.folder() + "/old.json").c_str());
  ASSERT_TRUE(process.Reload());
  client.Exec("select 'anew'");
  LineWith(process, "'anew'");
  LineWith(process, "'after'", "old.json");
}

}  // namespace
}  // namespace pgweir::test
