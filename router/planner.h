#pragma once

#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "router/bound_values.h"
#include "router/catalog.h"
#include "router/list_split.h"
#include "router/plan.h"
#include "router/route_template.h"
#include "router/shard_map.h"
#include "router/statement_facts.h"
#include "router/touched_symbols.h"

namespace pgweir::router {

// Where a statement goes with these values. Allocates nothing when its symbols are compared by =
// with plain values and it goes to one node.
Plan PlanStatement(const RouteTemplate& route, const ShardMap& map, const BoundValues& values);

// The same from the beginning, for what isn't asked often. `catalog` may be null: nothing is known
// of any table then but what the map says.
Plan PlanStatement(const Facts& facts, size_t statement, const Catalog* catalog,
                   const ShardMap& map, const BoundValues& values);

// The nodes of a statement whose parameters decide between them, as far as `values` are known;
// nothing when they don't.
std::optional<NodeSet> PossibleNodes(const RouteTemplate& route, const ShardMap& map,
                                     const BoundValues& values);

// Templates found again by the facts they were made from: one Planner a worker and database, for
// its thread only. With another catalog or map it is made anew.
class Planner {
 public:
  static constexpr size_t kMaxTemplates = 10'000;

  Planner(ShardMapRef map, CatalogRef catalog)
      : map_(std::move(map)), catalog_(std::move(catalog)) {}
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  // statement: which of the text's.
  Plan Find(const FactsRef& facts, size_t statement, const BoundValues& values);
  // The symbols that it depends on, or may change.
  std::vector<TouchedSymbols> SymbolsOf(const FactsRef& facts, size_t statement,
                                        const BoundValues& values) {
    return SymbolsTouched(TemplateOf(facts, statement), values);
  }
  // What one of its plan's nodes is sent of its lists.
  ListSplit Split(const FactsRef& facts, size_t statement, const BoundValues& values, NodeId node);

  // What it leaves to sequences; null = nothing.
  DrawnNumbersRef Drawn(const FactsRef& facts, size_t statement) {
    if (facts->statements[statement].kind != StatementKind::kInsert) return nullptr;
    return TemplateOf(facts, statement).drawn;
  }

  const ShardMapRef& map() const { return map_; }
  const CatalogRef& catalog() const { return catalog_; }
  size_t templates() const { return templates_.size(); }

 private:
  struct Entry {
    FactsRef facts;  // keeps the key from being another's
    std::vector<RouteTemplate> templates;
  };
  const RouteTemplate& TemplateOf(const FactsRef& facts, size_t statement);

  ShardMapRef map_;
  CatalogRef catalog_;
  absl::flat_hash_map<const Facts*, Entry> templates_;
};

}  // namespace pgweir::router
