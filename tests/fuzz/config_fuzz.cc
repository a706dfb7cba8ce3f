#include <string_view>

#include "base/check.h"
#include "config/loader.h"
#include "config/users.h"

// What stands in the configuration and users files: reading ends in values that hold what the
// headers promise, or in an error that names the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto users = config::ParseUsers(text, "users.txt");
  PGWEIR_CHECK(users.ok() || MessageOf(users.status()).rfind("users.txt:", 0) == 0);

  const auto read = config::Parse(text, "/nowhere/pgweir.toml");
  if (!read.ok()) {
    PGWEIR_CHECK(SqlStateOf(read.status()) == sqlstate::kConfigFileError);
    PGWEIR_CHECK(MessageOf(read.status()).find(':') != std::string::npos);
    return 0;
  }
  PGWEIR_CHECK(!read->databases.empty());
  for (const auto& [name, database] : read->databases) {
    PGWEIR_CHECK(!name.empty() && !database.node.primary.empty());
    const config::Pool pool = read->PoolFor(database, "user");
    PGWEIR_CHECK(pool.size >= 1 && pool.min_size <= pool.size);
  }
  return 0;
}
