#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "router/name_scope.h"
#include "router/route_template.h"

namespace pgweir::router {

// A scope in which no name can be told.
const NameScope& NoNames();

// Puts a catalog and a shard map to the shape of a query: finds where it touches sharded tables,
// which conditions filter each, which are joined by their symbols, and what else it touches.
class RouteBuilder {
 public:
  RouteBuilder(const Catalog* catalog, const ShardMap& map) : catalog_(catalog), map_(map) {}

  RouteTemplate Build(const QueryShape& shape);

  // Whether the view shows a sharded or replicated table.
  bool ReadsListed(const CatalogRelation& view);

 private:
  using Range = std::pair<uint32_t, uint32_t>;  // of occurrences, behind the last

  // What is known of one query.
  struct Block {
    std::vector<ScopeColumn> columns;
    bool known = false;    // all of its columns' names are
    bool counted = false;  // `columns` are all of them, in order
    Range leaves;          // its occurrences, those of queries within included
    // Why its rows, though each made of one symbol's, aren't those that one server would make;
    // "" = they are. `never`: nor are they for one symbol at a time.
    std::string spread;
    std::string never;
  };
  struct Join {
    size_t begin = 0, middle = 0, end = 0;      // items
    uint32_t first = 0, between = 0, last = 0;  // occurrences
    std::vector<std::pair<int, int>> merged;    // by USING: an item of each side, -1 for none
  };
  // The query being resolved.
  struct Frame {
    NameScope scope;
    std::unordered_map<const FromShape*, Join> joins;
    std::vector<Block> queries;  // those in its expressions
    std::string spread, never;
  };

  Block Resolve(const QueryShape& shape, const NameScope* parent);
  Block ResolveSelect(const QueryShape& shape, const NameScope* parent);
  Block ResolveSetOperation(const QueryShape& shape, const NameScope* parent);
  Block ResolveValues(const QueryShape& shape, const NameScope* parent);
  Block ResolveInsert(const QueryShape& shape, const NameScope* parent);
  Block ResolveWrite(const QueryShape& shape, const NameScope* parent);
  bool Target(const FromShape& target);
  void InsertIntoView(const FromShape& target);
  void StoreRows(const QueryShape& shape, size_t position);
  void StoreQuery(const Block& source, size_t position);
  void StoreValue(const ShapeValue& value);
  void CheckStored(const ShapeValue& value);
  void StoreAssignments(const QueryShape& shape, const NameScope::Item& target);
  void CheckDefaults(const QueryShape& shape, std::optional<size_t> width);
  void CheckAssignedDefaults(const QueryShape& shape);
  void RejectDrawn(const CatalogColumn& column, const FromShape& target, std::string_view reason);
  void Draw(const QueryShape& shape, const CatalogRelation& table, const std::vector<size_t>& left);
  const char* WhyNotPlain(const QueryShape& shape) const;
  void ResolveQueries(const QueryShape& shape, Frame& frame);
  void CheckQueries(const Frame& frame, std::string& never);
  void AddOutput(const QueryShape& shape, const Frame& frame, Block& block);
  void CheckFeatures(const QueryShape& shape, const Frame& frame, Block& block);
  bool Aggregates(const QueryShape& shape) const;
  bool IsSymbol(const ScopeColumn* column, Range leaves) const;
  bool KeepsBlanks(const ScopeColumn& left, const ScopeColumn& right) const;

  void AddItem(const FromShape& from, Frame& frame);
  void AddJoin(const FromShape& from, Frame& frame);
  int Merged(const FromShape& from, const std::string& name, int left, int right,
             const Frame& frame) const;
  void AddRelation(const FromShape& from, Frame& frame);
  void AddView(const FromShape& from, const CatalogRelation& view, Frame& frame);
  void AddTable(const FromShape& from, const TablePlace& place, const CatalogRelation* relation,
                Frame& frame);
  static void MarkNullable(const FromShape& from, const Join& join, Frame& frame);
  void FinishJoin(const FromShape& from, Frame& frame);
  void MergeColumns(const FromShape& from, const Join& join, Frame& frame, Range filtered);
  static void Rename(const std::vector<std::string>& names, bool counted, NameScope::Item& item);

  // Applies what AND connects. Only occurrences in `leaves` are restricted by it.
  void Apply(const Predicate& predicate, const Frame& frame, NameScope::Range items, Range leaves);
  void ApplyFilter(const Predicate& predicate, const NameScope& scope, NameScope::Range items,
                   Range leaves);
  bool EqualByBytes(uint32_t one, uint32_t other) const;
  void Equate(const SymbolSource& a, const SymbolSource& b, Range leaves);
  void Flow(const SymbolSource& from, const SymbolSource& to, Range leaves);
  SymbolFilter Project(const Predicate& predicate, uint32_t occurrence, const NameScope& scope,
                       NameScope::Range items);
  void Mentioned(const Predicate& predicate, const NameScope& scope, NameScope::Range items,
                 std::vector<uint32_t>& occurrences) const;
  ShapeValue Kept(const ShapeValue& value);
  bool HoldsSymbolsOnly(const SymbolSource& source) const;

  // Whose relation a name is; nothing when that can't be told, and then it rejects.
  struct Named {
    TablePlace place;
    const CatalogRelation* relation = nullptr;  // null when the catalog has none, or several alike
    bool system = false;
  };
  std::optional<Named> Lookup(const QualifiedName& name);
  std::optional<size_t> SymbolPosition(const QueryShape& shape, const Named& named);
  TablePlace PlaceOf(const CatalogRelation& relation, int depth = 0) const;

  static SymbolColumn ColumnFor(const CatalogColumn* column);
  static bool IsComparable(const CatalogColumn* column);
  uint32_t Now() const { return static_cast<uint32_t>(template_.occurrences.size()); }
  bool OneClass(Range leaves);
  // Whether each row of what is around them gives those occurrences its own symbol.
  bool Correlated(Range leaves);
  std::optional<uint32_t> OuterOf(Range leaves) const;
  std::optional<std::pair<uint32_t, uint32_t>> LinkBetween(Range a, Range b) const;
  uint32_t Class(uint32_t occurrence);
  void JoinClasses(uint32_t a, uint32_t b) { classes_[Class(a)] = Class(b); }
  void Finish();
  void Elsewhere(Plan::Why why, std::string_view name);
  void Reject(std::string message, std::string hint);

  const Catalog* catalog_;
  const ShardMap& map_;
  RouteTemplate template_;
  std::vector<uint32_t> stored_from_;  // whose symbols an INSERT stores as another type
  std::vector<uint32_t> classes_;      // union-find: joined by their symbols
  std::vector<std::pair<uint32_t, uint32_t>> links_;  // of one query's to a surrounding one's
  std::vector<std::pair<uint32_t, uint32_t>> flows_;  // what filters the first filters the second
  const std::vector<std::string>* view_literals_ = nullptr;  // of the view being resolved
  const QueryShape* whole_ = nullptr;                        // that is built from
  int depth_ = 0;
  int blocks_ = 0;
  bool reads_replicated_ = false;
  bool rejected_ = false;
};

}  // namespace pgweir::router
