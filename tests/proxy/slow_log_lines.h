#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {

// Those of the slow-query log in the process's folder.
inline std::vector<std::string> Lines(const PgweirProcess& process,
                                      const std::string& file = "slow.json") {
  std::ifstream in(process.folder() + "/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The newest line with `part` and `also` in it, once it is there; "" if none comes.
inline std::string LineWith(const PgweirProcess& process, std::string_view part,
                            const std::string& file = "slow.json", std::string_view also = "") {
  std::string found;
  WaitUntil(
      [&] {
        for (const std::string& line : Lines(process, file)) {
          if (line.find(part) != std::string::npos && line.find(also) != std::string::npos) {
            found = line;
          }
        }
        return !found.empty();
      },
      std::chrono::seconds(5));
  EXPECT_NE(found, "") << "no line with " << part << " and \"" << also << "\"";
  return found;
}

// What PostgreSQL makes of a line's value at this path: "pgweir,wait_us".
inline std::string ValueAt(PostgresServer& server, const std::string& line, std::string_view path) {
  if (line.empty()) return "";
  return server.Query(fmt::format("select $line${}$line$::jsonb #>> '{{{}}}'", line, path));
}

}  // namespace pgweir::test
