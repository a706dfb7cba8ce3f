#include "config/not_served.h"

#include "base/check.h"

namespace pgweir::config {
namespace {

// The keys by kind of table, each with the value that says what pgweir does without it.
constexpr std::string_view kStandard = R"(
[cache]
redis = ""
redis_timeout = "20ms"
wal = false
)";

const TomlTable& Standard(std::string_view section) {
  static const auto parsed = ParseToml(kStandard, "not_served.cc");
  PGWEIR_CHECK(parsed.ok());
  const TomlEntry* entry = FindEntry(std::get<TomlTable>(parsed->value), section);
  PGWEIR_CHECK(entry != nullptr);
  return std::get<TomlTable>(entry->value.value);
}

}  // namespace

void ReadNotServed(std::string_view section, TableReader& reader) {
  for (const TomlEntry& entry : Standard(section)) reader.NotServed(entry.key, entry.value);
}

}  // namespace pgweir::config
