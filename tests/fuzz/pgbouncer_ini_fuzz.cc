#include <string_view>

#include "base/check.h"
#include "config/pgbouncer_ini.h"

// A pgbouncer.ini that includes itself whatever it names: reading ends, in values that hold what
// config.h promises, or in an error that names the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto itself = [text](const std::string&) -> StatusOr<std::string> {
    return std::string(text.substr(0, 512));
  };
  const auto read = config::ParsePgBouncerIni(text, "pgbouncer.ini", itself);
  if (!read.ok()) {
    PGWEIR_CHECK(SqlStateOf(read.status()) == sqlstate::kConfigFileError);
    PGWEIR_CHECK(MessageOf(read.status()).find(':') != std::string::npos);
    return 0;
  }
  for (const auto& [name, database] : read->databases) {
    PGWEIR_CHECK(!name.empty() && !database.node.primary.empty());
    const config::Pool pool = read->PoolFor(database, "user");
    PGWEIR_CHECK(pool.size >= 1 && pool.overflow >= 0);
    PGWEIR_CHECK(database.pool.min_size <= database.pool.size);
  }
  for (const auto& [id, peer] : read->peers) PGWEIR_CHECK(id > 0 && !peer.host.empty());
  return 0;
}
