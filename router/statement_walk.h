#pragma once

#include <cstdint>
#include <vector>

#include "pg_query/pg_query.pb-c.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// Fills in what one statement's tree says: kind, effects, relations, functions, conditions, the
// name of a prepared statement. The settings that it sets go to the end of `settings`.
void WalkStatement(const PgQuery__Node& statement, const SqlScan& scan, StatementFacts& facts,
                   std::vector<SettingEffect>& settings);

}  // namespace pgweir::router
