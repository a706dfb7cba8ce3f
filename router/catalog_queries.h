#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pgweir::router {

// What is asked of a node to know its catalog. Read-only, for PostgreSQL 12 to 17; every column is
// text, and NULL is "". All of them belong into one REPEATABLE READ transaction.
enum class CatalogQuery : uint8_t {
  kRelations,  // oid, schema, name, relkind, a view's definition
  // relation's oid, name, type's oid, how its collation compares texts: "c" byte by byte, "d" equal
  // only when their bytes are, "" otherwise; in order
  kColumns,
  kInheritance,  // child's oid, parent's oid: partitions too
  kFunctions,    // oid, schema, name, volatility (i, s, v), extension; outside pg_catalog
  kBuiltIns,     // name, greatest volatility of that name; within pg_catalog
  kUses,         // relation's oid, what runs when it is "r" read or "w" written: "f" a function,
                 // "r" a statement on a relation; its oid
  kHidden,       // oid of each operator and cast outside pg_catalog that is volatile
  kAggregates,   // name of each aggregate, whatever its schema
  kIndexes,      // schema, name, its relation's oid
  // relation's oid, name of each column whose default draws from a sequence; that sequence, if it
  // is an identity's or the default is nextval of it and no more; "a" when it is GENERATED ALWAYS
  kDrawn,
  kSecured,    // oid of each relation with row-level security
  kCommitted,  // a row when transactions are READ COMMITTED unless they say otherwise, for all
  // Of each name whose functions are not all of one volatility, all functions: oid, schema, name,
  // volatility of those within pg_catalog, OIDs of the arguments' types, how many have defaults,
  // "t" when VARIADIC, the result's type
  kOverloads,
  // oid of a domain, of the type it is made of; or of a type of pg_catalog whose name another one
  // has, too, and ""
  kTypes,
};
inline constexpr size_t kCatalogQueries = 14;

const char* CatalogQueryText(CatalogQuery query);

using CatalogRow = std::vector<std::string>;
// By CatalogQuery.
using CatalogRows = std::array<std::vector<CatalogRow>, kCatalogQueries>;

}  // namespace pgweir::router
