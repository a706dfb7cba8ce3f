#pragma once

#include <cstdint>
#include <vector>

#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// The tables whose rows a statement depends on, or may change, by what one node's catalog says.
struct TouchedTables {
  // It may be any: names what isn't in the catalog, runs what nobody can look into.
  bool unknown = false;
  std::vector<uint32_t> relations;  // indexes in Catalog::relations(), in order, each once

  bool none() const { return !unknown && relations.empty(); }
};

// Of a statement that is surely a read. Views among them, and all that they are made of.
TouchedTables TablesRead(const StatementFacts& statement, const Catalog& catalog);

// Partitions, what foreign keys, rules and views lead to; unknown where a trigger or volatile
// function of the user's runs. A transaction's end writes nothing by itself, COMMIT PREPARED does.
TouchedTables TablesWritten(const StatementFacts& statement, const Catalog& catalog);

}  // namespace pgweir::router
