#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "router/catalog_queries.h"

namespace pgweir::router {

// What is asked of a node to see whether its tables suit a shard map. Read-only, for PostgreSQL 12
// to 17; every column is text, and NULL is "". All of them belong into one REPEATABLE READ
// transaction. Lists are arrays of text in their text form.
enum class PlacementQuery : uint8_t {
  kDatabase,  // encoding, collation, ctype, provider, its locale
  kTables,    // schema, name, relkind, schema and name of a parent; once for each parent
  // schema, table, column, type, "t" when that is text, varchar or char(n), collation, how it
  // compares as in CatalogQuery::kColumns, "t" when not null, where its default draws from: "i"
  // identity, "s" a sequence, that sequence quoted; in order
  kColumns,
  // schema, table, "p" primary key, "u" unique constraint, "x" exclusion, "i" only an index, name,
  // its columns with NULL for an expression, "t" when it is partial, definition
  kKeys,
  // schema, table, name, its columns, schema and name of the table it refers to, the columns there,
  // its rules
  kForeignKeys,
};
inline constexpr size_t kPlacementQueries = 5;

const char* PlacementQueryText(PlacementQuery query);

// By PlacementQuery.
using PlacementRows = std::array<std::vector<CatalogRow>, kPlacementQueries>;

}  // namespace pgweir::router
