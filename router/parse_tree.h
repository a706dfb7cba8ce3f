#pragma once

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "pg_query/pg_query.pb-c.h"

namespace pgweir::router {

// Parses `sql` by PostgreSQL's grammar and shows its tree to `visit`, both on the thread's big
// stack. The tree lives during the call only. Returns the grammar's message when `sql` isn't SQL,
// "" when it is. `sql` must have no NUL in it and be of bounded depth (router/depth.h).
std::string WithParseTree(std::string_view sql,
                          absl::FunctionRef<void(const PgQuery__ParseResult&)> visit);

}  // namespace pgweir::router
