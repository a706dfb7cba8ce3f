#include "tests/support/cached_test.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "fmt/format.h"

namespace pgweir::test {

std::unique_ptr<PostgresServer> CachedTest::server_;
std::unique_ptr<PgweirProcess> CachedTest::pgweir_;
std::vector<Connection> CachedTest::keepers_;

void CachedTest::Begin(std::string_view schema, std::string_view rules,
                       const PostgresOptions& server_options, std::string_view cache) {
  server_ = std::make_unique<PostgresServer>(server_options);
  server_->Query(
      "create role alice login; create role bob login;"
      "create table counter (n int); insert into counter values (0);"
      "grant select on counter to alice, bob;");
  if (!schema.empty()) server_->Query(schema);
  pgweir_ = Start(Options(rules, cache));
}

void CachedTest::TearDownTestSuite() {
  keepers_.clear();
  pgweir_.reset();
  server_.reset();
}

void CachedTest::SetUp() {
  keepers_.clear();
  log_from_ = pgweir_->log().size();
  ASSERT_TRUE(WaitKnown());
  ASSERT_TRUE(Console("cache flush").ok());
}

void CachedTest::TearDown() {
  EXPECT_TRUE(pgweir_->Running());
  if (HasFailure()) pgweir_->ShowLog(log_from_);
}

PgweirOptions CachedTest::Options(std::string_view rules, std::string_view cache,
                                  std::string_view pool) {
  PgweirOptions options;
  options.pool = pool;
  options.users += "\"alice\" \"alice-secret\"\n\"bob\" \"bob-secret\"\n";
  options.databases = DatabaseToml("postgres", server_->port()) +
                      DatabaseToml("twin", server_->port(), "dbname=postgres") +
                      fmt::format("[cache]\nenabled = true\n{}\n{}\n", cache, rules);
  return options;
}

std::unique_ptr<PgweirProcess> CachedTest::Start(const PgweirOptions& options) {
  return std::make_unique<PgweirProcess>(options);
}

Connection CachedTest::Client(std::string_view user, std::string_view database,
                              std::string_view more) {
  return Connection(fmt::format("{} {}", pgweir_->Conninfo(user, database), more));
}

Result CachedTest::Console(std::string_view command, const PgweirProcess& process) {
  const Connection console(process.Conninfo("postgres", "pgweir"));
  Result result = console.Exec(command);
  EXPECT_TRUE(result.ok()) << command << ": " << result.message();
  return result;
}

int64_t CachedTest::Shown(const char* column, const PgweirProcess& process) {
  const Result result = Console("show cache", process);
  const int number = PQfnumber(result.get(), column);
  if (number < 0) throw std::runtime_error(fmt::format("SHOW CACHE has no {}", column));
  return std::stoll(result.Value(0, number));
}

void CachedTest::Do(const Connection& client, std::string_view sql) {
  const Result result = client.Exec(sql);
  EXPECT_TRUE(result.ok()) << sql << ": " << result.message();
}

bool CachedTest::Repeats(const Read& read) {
  const std::string first = read();
  Count();
  return read() == first;
}

bool CachedTest::Repeats(const Connection& client, std::string_view sql) {
  return Repeats([&] {
    const Result result = client.Exec(sql);
    EXPECT_TRUE(result.ok()) << sql << ": " << result.message();
    std::string text;
    for (int row = 0; row < result.rows(); ++row) {
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        text += result.Value(row, column) + '|';
      }
    }
    return text;
  });
}

bool CachedTest::Outdates(const std::function<void()>& write, const Read& read) {
  const std::string first = read();
  Count();
  EXPECT_EQ(read(), first) << "not cached before the write";
  write();
  return read() != first;
}

bool CachedTest::WaitKnown(const PgweirProcess& process, std::string_view database) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const Connection& client = keepers_.emplace_back(process.Conninfo("postgres", database));
  while (!Repeats(client, "select n, 'known' from counter")) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace pgweir::test
