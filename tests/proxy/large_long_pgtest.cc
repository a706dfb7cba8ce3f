// Very large values and copies pass in bounded memory.

#include "fmt/format.h"
#include "tests/proxy/cancel_storm.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

constexpr int64_t kMemoryBound = 64 << 20;

class Large : public ProxyTest {
 protected:
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

  static bool CopyIn(const Connection& connection, const std::string& sql, std::string_view data) {
    EXPECT_EQ(connection.Exec(sql).status(), PGRES_COPY_IN) << connection.error();
    while (!data.empty()) {
      std::string_view part = data.substr(0, 100'000);
      if (PQputCopyData(connection.get(), part.data(), static_cast<int>(part.size())) != 1)
        return false;
      data.remove_prefix(part.size());
    }
    bool done = PQputCopyEnd(connection.get(), nullptr) == 1;
    while (std::optional<Result> result = connection.Next()) done = done && result->ok();
    return done;
  }
};

// Rule 23
TEST_F(Large, ValueOf200MegabytesPassesInBoundedMemory) {
  std::string value(200 << 20, 'v');
  for (size_t at = 0; at < value.size(); at += 1021) value[at] = static_cast<char>('a' + at % 26);
  Connection connection(pgweir().Conninfo());
  {
    Result in = connection.ExecParams("select md5($1)", {value});
    ASSERT_TRUE(in.ok()) << in.message();
    EXPECT_EQ(in.Value().size(), 32u);
    fmt::print("200 MB in: peak {} KB\n", pgweir().PeakResidentBytes() / 1024);
  }
  Result both = connection.ExecParams("select $1::text", {value});
  ASSERT_TRUE(both.ok()) << both.message();
  EXPECT_TRUE(both.Value() == value);
  fmt::print("200 MB in and out: peak {} KB\n", pgweir().PeakResidentBytes() / 1024);
  EXPECT_LT(pgweir().PeakResidentBytes(), kMemoryBound);
}

// Rules 23 and 24: also when the reader is slower than the server.
TEST_F(Large, SlowReadersOfLargeValuesDoNotFillTheMemory) {
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(RawClient::Login(pgweir().port()));
    clients.back().Send(fe::Query("select repeat('x', 100000000)"));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_LT(pgweir().PeakResidentBytes(), kMemoryBound);
  for (RawClient& client : clients) EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
  EXPECT_LT(pgweir().PeakResidentBytes(), kMemoryBound);
}

TEST_F(Large, CopyOf100MegabytesKeepsEveryByte) {
  server().Query(
      "create table wide as select n, md5(n::text) as a, n * 0.25::numeric as b, "
      "repeat(E'\\t\"\\\\', n % 5) as c, now() as d from generate_series(1, 1400000) n");
  server().Query("create table copied (like wide)");
  for (const char* format : {"text", "csv", "binary"}) {
    Connection direct(server().Conninfo());
    Connection through(pgweir().Conninfo());
    std::string out = fmt::format("copy wide to stdout (format {})", format);
    std::string expected = CopyOut(direct, out);
    EXPECT_GT(expected.size(), 100u << 20);
    EXPECT_TRUE(CopyOut(through, out) == expected) << format;
    server().Query("truncate copied");
    EXPECT_TRUE(
        CopyIn(through, fmt::format("copy copied from stdin (format {})", format), expected));
    EXPECT_TRUE(CopyOut(direct, fmt::format("copy copied to stdout (format {})", format)) ==
                expected);
  }
  EXPECT_LT(pgweir().PeakResidentBytes(), kMemoryBound);
}

class CancelLong : public ProxyTest {};

// Rules 12 and 14
TEST_F(CancelLong, ThousandNeverHitANeighbour) { CancelStorm(pgweir().Conninfo(), 1000, 12); }

class IdleClients : public ProxyTest, public testing::WithParamInterface<int> {};

TEST_P(IdleClients, CostLittleMemory) {
  PgweirOptions options = DefaultOptions(server().port());
  options.log = "level = \"warning\"";
  PgweirProcess process(options);
  RawClient::Login(process.port()).Query("select 1");
  int64_t before = process.ProportionalBytes();
  std::vector<RawClient> clients;
  for (int i = 0; i < GetParam(); ++i) clients.push_back(RawClient::Login(process.port()));
  int64_t fresh = (process.ProportionalBytes() - before) / GetParam();
  for (RawClient& client : clients) client.Query("select 1");
  int64_t used = (process.ProportionalBytes() - before) / GetParam();
  fmt::print("{} idle clients: {} bytes each, {} after a query each (PSS {} -> {} KB)\n",
             GetParam(), fresh, used, before / 1024, process.ProportionalBytes() / 1024);
  EXPECT_LT(used, 32 << 10);
  EXPECT_EQ(Types(clients.back().Query("select 1")), "TDCZ");
}

INSTANTIATE_TEST_SUITE_P(Count, IdleClients, testing::Values(1000, 5000),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace pgweir::test
