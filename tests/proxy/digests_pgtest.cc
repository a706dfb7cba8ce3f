// SHOW DIGESTS, SHOW SLOW and SHOW SYMBOLS: what adds up over statements.

#include <gmock/gmock.h>

#include <map>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/console_test.h"
#include "tests/support/four_shards.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using testing::MatchesRegex;

// A table of the console, by the names of its columns.
using Shown = std::vector<std::map<std::string, std::string>>;

Shown Show(const Connection& console, std::string_view table) {
  const Result result = console.Exec(fmt::format("show {}", table));
  EXPECT_TRUE(result.ok()) << result.message();
  Shown rows(static_cast<size_t>(result.rows()));
  for (int row = 0; row < result.rows(); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      rows[static_cast<size_t>(row)][PQfname(result.get(), column)] = result.Value(row, column);
    }
  }
  return rows;
}

// The first row with this text in it; empty when there is none.
std::map<std::string, std::string> RowWith(const Connection& console, std::string_view table,
                                           const char* column, std::string_view part) {
  for (auto& row : Show(console, table)) {
    if (row[column].find(part) != std::string::npos) return row;
  }
  return {};
}

class Digests : public ConsoleTest {
 protected:
  // One worker: what a client has been sent is counted before it is read for the next.
  static PgweirOptions Options(std::string_view slow_log = "") {
    PgweirOptions options = ConsoleOptions();
    options.listen = "workers = 1";
    options.databases += fmt::format("[slow_log]\n{}\n", slow_log);
    return options;
  }
};

TEST_F(Digests, AddUpWhatDiffersInItsValuesOnly) {
  PgweirProcess process(Options());
  Connection client(process.Conninfo()), console = Console(process);
  client.Exec("select n from generate_series(1, 2) n where n in (1, 2)");
  client.Exec("SELECT n FROM generate_series(1, 9) n WHERE n IN (7, 8, 9)");
  client.Exec("select n from generate_series(1, 1) n where n in (0)");
  client.Exec("select 1 / 0");
  client.Exec("select 2 / 0");
  auto row = RowWith(console, "digests", "query", "generate_series");
  EXPECT_EQ(row["calls"], "3");
  EXPECT_EQ(row["errors"], "0");
  EXPECT_EQ(row["rows"], "5");
  EXPECT_EQ(row["database"], "postgres");
  EXPECT_EQ(row["user"], "postgres");
  EXPECT_THAT(row["digest"], MatchesRegex("[0-9a-f]{16}"));
  EXPECT_GT(std::stod(row["total_ms"]), 0);
  EXPECT_GE(std::stod(row["p99_ms"]), std::stod(row["p50_ms"]));
  EXPECT_NEAR(std::stod(row["mean_ms"]), std::stod(row["total_ms"]) / 3, 0.002);
  row = RowWith(console, "digests", "query", " / ");
  EXPECT_EQ(row["calls"], "2");
  EXPECT_EQ(row["errors"], "2");

  EXPECT_EQ(console.Exec("reset digests").tag(), "RESET");
  for (const auto& left : Show(console, "digests")) {
    EXPECT_EQ(left.at("query").find("generate_series"), std::string::npos);
  }
}

TEST_F(Digests, ThatComeOnceTakeNoMoreThanTheirRoom) {
  constexpr int kDistinct = 3000;
  PgweirProcess process(Options());
  Connection client(process.Conninfo()), console = Console(process);
  for (int i = 0; i < 50; ++i) client.Exec("select 'often', 'the same'");
  for (int i = 0; i < kDistinct; ++i) client.Exec(fmt::format("select 1 as once_{}", i));
  const Shown shown = Show(console, "digests");
  EXPECT_LE(shown.size(), 501u);
  ASSERT_FALSE(shown.empty());
  EXPECT_EQ(shown.back().at("query"), "(other)");
  int calls = 0;
  for (const auto& row : shown) calls += std::stoi(row.at("calls"));
  EXPECT_EQ(calls, kDistinct + 50);
  EXPECT_EQ(RowWith(console, "digests", "query", "select $1, $2")["calls"], "50");
}

TEST_F(Digests, TheNewestSlowOnesAreShown) {
  PgweirProcess process(Options("threshold = \"50ms\""));
  Connection client(process.Conninfo()), console = Console(process);
  client.Exec("select 'fast'");
  client.Exec("select pg_sleep(0.1) as older");
  client.Exec("select pg_sleep(0.1) as newer");
  client.Exec("select 1 / 0");
  const Shown shown = Show(console, "slow");
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0].at("sqlstate"), "22012");
  EXPECT_EQ(shown[1].at("query"), "select pg_sleep(0.1) as newer");
  EXPECT_EQ(shown[2].at("query"), "select pg_sleep(0.1) as older");
  EXPECT_GE(std::stod(shown[2].at("backend_ms")), 100);
  // They have values in them.
  EXPECT_FALSE(Console(process, "watcher").Exec("show slow").ok());
  EXPECT_EQ(console.Exec("reset slow").tag(), "RESET");
  EXPECT_TRUE(Show(console, "slow").empty());
  for (int i = 0; i < 130; ++i) client.Exec(fmt::format("select {} / 0", i));
  const Shown newest = Show(console, "slow");
  ASSERT_EQ(newest.size(), 100u);
  for (const auto& row : newest) EXPECT_EQ(row.at("sqlstate"), "22012");
}

class DigestsOfShards : public FourShards {};

TEST_F(DigestsOfShards, SayWhereAndOfWhatSymbols) {
  Connection client(Conninfo());
  Connection console(pgweir().Conninfo("postgres", "pgweir"));
  console.Exec("reset digests");
  console.Exec("reset symbols");
  for (int i = 0; i < 3; ++i) client.Exec("select count(*) from trades where symbol = 'BTCUSDT'");
  const char* const values[] = {"ETHUSDT"};
  for (int i = 0; i < 2; ++i) {
    Result(PQexecParams(client.get(), "select count(*) from trades where symbol = $1", 1, nullptr,
                        values, nullptr, nullptr, 0));
  }
  client.Exec("select count(*) from trades where symbol in ('ETHUSDT', 'ETHBTC')");
  client.Exec("select symbol from trades");
  // Of this session's worker, who counts a statement when its client has all of it.
  ASSERT_TRUE(
      WaitUntil([&] { return !RowWith(console, "digests", "query", "select symbol").empty(); }));
  std::map<std::string, std::string> calls;
  for (auto& row : Show(console, "symbols"))
    calls[row["node"] + " " + row["symbol"]] = row["calls"];
  EXPECT_EQ(calls,
            (std::map<std::string, std::string>{{"btc BTCUSDT", "3"}, {"eth ETHUSDT", "2"}}));
  auto row = RowWith(console, "digests", "query", "symbol = ");
  EXPECT_EQ(row["calls"], "5");
  EXPECT_EQ(row["shards"], "btc,eth");
  row = RowWith(console, "digests", "query", "select symbol");
  EXPECT_EQ(row["shards"], "btc,eth,rest,xrp");
  EXPECT_EQ(row["calls"], "1");
}

class DigestsOfCachedReads : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(""); }
};

TEST_F(DigestsOfCachedReads, SayWhatTheCacheAnswered) {
  const Connection client = Client();
  Console("reset digests");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.Value("select n as simple from counter"), Counter());
  const char* const values[] = {"0"};
  for (int i = 0; i < 2; ++i) {
    Result(PQexecParams(client.get(), "select n as bound from counter where n >= $1", 1, nullptr,
                        values, nullptr, nullptr, 0));
  }
  const Connection console(pgweir().Conninfo("postgres", "pgweir"));
  ASSERT_TRUE(
      WaitUntil([&] { return RowWith(console, "digests", "query", ">=")["calls"] == "2"; }));
  EXPECT_EQ(RowWith(console, "digests", "query", ">=")["cache_hits"], "1");
  auto row = RowWith(console, "digests", "query", "n as simple");
  EXPECT_EQ(row["calls"], "4");
  EXPECT_EQ(row["rows"], "4");
  EXPECT_EQ(row["cache_hits"], "3");
}

}  // namespace
}  // namespace pgweir::test
