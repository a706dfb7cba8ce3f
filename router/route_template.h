#pragma once

#include <string>
#include <vector>

#include "router/catalog.h"
#include "router/drawn_numbers.h"
#include "router/plan.h"
#include "router/query_shape.h"
#include "router/shard_map.h"
#include "router/statement_facts.h"
#include "router/symbol_filter.h"

namespace pgweir::router {

// All of a statement's route that doesn't depend on its values: its shape with a catalog's tables
// and a map's lists put to the names. Holds for as long as both do.
struct RouteTemplate {
  // One place where the statement reads or writes a sharded table. Rows of it for whose symbol one
  // of its filters isn't true have no effect on what the statement does.
  struct Occurrence {
    std::string table;
    SymbolColumn column;
    bool comparable = true;  // its symbols are texts whose equality is that of their bytes
    std::vector<SymbolFilter> filters;
  };
  // Occurrences of equal symbols: what all of their filters allow bounds each of them.
  using Group = std::vector<uint32_t>;

  bool fixed = false;
  Plan plan;  // when it is; else its kReject is what several nodes get
  std::vector<Occurrence> occurrences;
  std::vector<Group> groups;
  bool unbounded = false;  // an occurrence has no filter at all

  bool writes = false;
  // Why the rows of several nodes can't just be put one after the other; "" = they can.
  std::string no_concat;
  // What lies on the default node only, with its name; kNone = nothing.
  Plan::Why elsewhere = Plan::Why::kNone;
  std::string elsewhere_name;
  // Symbols of rows inserted or of symbols set: each has to lie on the statement's node.
  std::vector<ShapeValue> stored;
  // Of those that come from rows read, and may lose blanks at their end on the way.
  std::vector<Group> stored_from;
  SymbolColumn stored_in;
  std::string stored_table;
  DrawnNumbersRef drawn;  // what an INSERT leaves to sequences; null = nothing
  std::vector<std::string> constants;
};

// Never fails: what can't be routed is a template whose plan rejects.
RouteTemplate MakeTemplate(const Facts& facts, size_t statement, const Catalog* catalog,
                           const ShardMap& map);

}  // namespace pgweir::router
