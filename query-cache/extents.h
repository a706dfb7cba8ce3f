#pragma once

#include <span>

#include "query-cache/versions.h"
#include "router/catalog.h"
#include "router/statement_facts.h"
#include "router/touched_symbols.h"
#include "router/touched_tables.h"

namespace pgweir::cache {

// What a statement reads or writes, for its versions: the tables of `touched` in the server's
// database, those of them that are sharded by their symbols only. `symbols` are of `statement`.
Extent ExtentOf(DatabaseId database, const router::TouchedTables& touched,
                const router::Catalog& catalog, const router::StatementFacts& statement,
                std::span<const router::TouchedSymbols> symbols);

// Adds what the other has.
void Unite(Extent& extent, Extent other);

}  // namespace pgweir::cache
