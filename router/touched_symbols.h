#pragma once

#include <string>
#include <vector>

#include "router/bound_values.h"
#include "router/route_template.h"

namespace pgweir::router {

// The symbols of a sharded table that a statement depends on, or may change.
struct TouchedSymbols {
  std::string table;                 // without its schema
  std::vector<std::string> symbols;  // in order; meaningless when they are `any`
  bool any = false;                  // they can't be listed, or are too many
};

// Of each sharded table of the statement; nothing when its route isn't decided by symbols. Rows of
// other symbols have no effect on what the statement does, and it has none on them.
std::vector<TouchedSymbols> SymbolsTouched(const RouteTemplate& route, const BoundValues& values);

// The symbols themselves, when the set is made of nothing else and they are at most `most`.
bool ListSymbols(const SymbolSet& set, size_t most, std::vector<std::string>& symbols);

}  // namespace pgweir::router
