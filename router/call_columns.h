#pragma once

#include <cstdint>

#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// The OID of the type of the column that a call's argument names; 0 when it isn't certain which
// column that is. `level` is the call's.
uint32_t TypeOfColumn(const ColumnName& name, int level, const StatementFacts& statement,
                      const Catalog& catalog);

}  // namespace pgweir::router
