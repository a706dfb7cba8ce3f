#include "router/type_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

struct Known {
  std::string_view name;
  uint32_t oid;
};

// Sorted by name; the OIDs are the same on every server (src/include/catalog/pg_type.dat). float4
// is left out: the grammar also makes it of float(n), which is the one type or the other by n, a
// literal's value.
constexpr std::array kKnown = std::to_array<Known>({
    {"bool", 16},          {"bpchar", 1042},   {"bytea", 17},     {"date", 1082},
    {"float8", 701},       {"inet", 869},      {"int2", 21},      {"int4", 23},
    {"int8", 20},          {"interval", 1186}, {"json", 114},     {"jsonb", 3802},
    {"money", 790},        {"name", 19},       {"numeric", 1700}, {"oid", 26},
    {"regconfig", 3734},   {"text", 25},       {"time", 1083},    {"timestamp", 1114},
    {"timestamptz", 1184}, {"timetz", 1266},   {"tsquery", 3615}, {"tsvector", 3614},
    {"uuid", 2950},        {"varchar", 1043},  {"xml", 142},
});
static_assert(std::is_sorted(kKnown.begin(), kKnown.end(),
                             [](const Known& a, const Known& b) { return a.name < b.name; }));

}  // namespace

std::optional<BuiltInTypeName> BuiltInType(const PgQuery__TypeName& type) {
  const auto parts = NameParts(type.names, type.n_names);
  const bool bare = parts.size() == 1;
  if (!bare && (parts.size() != 2 || parts[0] != "pg_catalog")) return std::nullopt;
  if (type.setof || type.pct_type || type.n_array_bounds > 0) return std::nullopt;
  const auto* const found =
      std::lower_bound(kKnown.begin(), kKnown.end(), parts.back(),
                       [](const Known& known, std::string_view key) { return known.name < key; });
  if (found == kKnown.end() || found->name != parts.back()) return std::nullopt;
  return BuiltInTypeName{found->oid, bare};
}

}  // namespace pgweir::router
