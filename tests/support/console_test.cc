#include "tests/support/console_test.h"

#include <chrono>
#include <thread>

#include "fmt/format.h"

namespace pgweir::test {

PgweirOptions ConsoleTest::ConsoleOptions(std::string_view admin, std::string_view pool) {
  PgweirOptions options = DefaultOptions(server().port());
  options.listen += "\nunix_socket_dir = \"@\"";
  if (!pool.empty()) options.pool = pool;
  options.databases = DatabaseToml("postgres", server().port()) +
                      fmt::format("[admin]\nstats_users = [\"watcher\"]\n{}\n", admin);
  return options;
}

std::string ConsoleTest::Cell(const Connection& console, std::string_view table, const char* key,
                              std::string_view value, const char* column) {
  const Result result = console.Exec(fmt::format("show {}", table));
  const int key_column = PQfnumber(result.get(), key);
  const int value_column = PQfnumber(result.get(), column);
  EXPECT_GE(key_column, 0) << key << result.message();
  EXPECT_GE(value_column, 0) << column << result.message();
  for (int row = 0; row < result.rows(); ++row) {
    if (result.Value(row, key_column) == value) return result.Value(row, value_column);
  }
  return "";
}

bool ConsoleTest::WaitCell(const Connection& console, std::string_view table, const char* key,
                           std::string_view value, const char* column, std::string_view expected) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (Cell(console, table, key, value, column) != expected) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace pgweir::test
