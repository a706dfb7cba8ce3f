#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/proxy_test.h"

namespace pgweir::test {

// A pgweir with a console, for tests of a suite: database postgres over at most five backends,
// "postgres" is an admin and "watcher" may look.
class ConsoleTest : public ProxyTest {
 protected:
  static PgweirOptions ConsoleOptions(std::string_view admin = "", std::string_view pool = "");

  static Connection Console(const PgweirProcess& process, std::string_view user = "postgres",
                            std::string_view database = "pgweir") {
    return Connection(process.Conninfo(user, database));
  }

  // The value in `column` of the first row of a SHOW whose column `key` is `value`; "" if none is.
  static std::string Cell(const Connection& console, std::string_view table, const char* key,
                          std::string_view value, const char* column);
  // Waits until that is `expected`; false after five seconds.
  static bool WaitCell(const Connection& console, std::string_view table, const char* key,
                       std::string_view value, const char* column, std::string_view expected);
};

}  // namespace pgweir::test
