#pragma once

#include <cstdint>
#include <vector>

#include "pg_query/pg_query.pb-c.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// What SET and RESET in all their forms do. Returns the effects.
uint32_t WalkSet(const PgQuery__VariableSetStmt& set, std::vector<SettingEffect>& settings);

}  // namespace pgweir::router
