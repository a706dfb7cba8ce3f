#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/pgweir_process.h"
#include "tests/support/postgres_server.h"
#include "tests/support/raw_client.h"
#include "tests/support/twin_script.h"

namespace pgweir::test {

inline constexpr size_t kTwinClients = 10;

// What a step was answered, without what differs by nature: process ids, keys, the OIDs of tables,
// the server's source lines.
struct TwinAnswer {
  std::vector<Message> messages;
  // The client's ParameterStatus values after the step. When they are told, and whether unchanged
  // ones are told again, is not fixed by the protocol.
  std::map<std::string, std::string> parameters;
  std::string end;  // "" = whole; else how it broke off
};

std::string ShowAnswer(const TwinAnswer& answer);

struct TwinDifference {
  size_t step = 0;
  std::string direct;
  std::string through;
};

// A server with a database that each run gets fresh.
class TwinRunner {
 public:
  enum class Database {
    kPlain,
    kSharded,  // the pgweir in between has a shard map, whose node of "*" has all that scripts use
    kCached,   // it caches whatever may be cached
  };
  explicit TwinRunner(Database database = Database::kPlain);

  // Runs the script and returns an answer a step. `pool` = the [pool] table of a pgweir in between;
  // none = direct connections.
  std::vector<TwinAnswer> Run(const TwinScript& script, const std::optional<std::string>& pool);

  // The first difference between direct connections and this pool (none: direct again).
  std::optional<TwinDifference> Compare(const TwinScript& script,
                                        const std::optional<std::string>& pool);

  // A script as short as is found within the time in which there is still a difference.
  TwinScript Shrink(TwinScript script, const std::optional<std::string>& pool,
                    std::chrono::seconds at_most);

 private:
  void FreshDatabase();
  bool Differs(const TwinScript& script, const std::optional<std::string>& pool);

  PostgresServer server_;
  const Database database_;
};

}  // namespace pgweir::test
