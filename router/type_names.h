#pragma once

#include <cstdint>
#include <optional>

#include "pg_query/pg_query.pb-c.h"

namespace pgweir::router {

// A type of pg_catalog, as SQL names it.
struct BuiltInTypeName {
  uint32_t oid = 0;
  bool bare = false;  // without its schema: search_path may lead to another type of that name
};

// Nothing for arrays, %TYPE, and what isn't among the usual ones.
std::optional<BuiltInTypeName> BuiltInType(const PgQuery__TypeName& type);

}  // namespace pgweir::router
