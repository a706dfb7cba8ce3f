#include "query-cache/extents.h"

#include <algorithm>
#include <iterator>

namespace pgweir::cache {
namespace {

using router::CatalogRelation;
using router::TouchedSymbols;

// Finds for a table the symbols by which it is touched.
class SymbolsOfTables {
 public:
  SymbolsOfTables(const router::TouchedTables& touched, const router::Catalog& catalog,
                  const router::StatementFacts& statement, std::span<const TouchedSymbols> symbols)
      : touched_(touched), catalog_(catalog), statement_(statement), symbols_(symbols) {}

  // Null when it is touched as a whole.
  const TouchedSymbols* Of(uint32_t index) const {
    const CatalogRelation& relation = catalog_.relations()[index];
    const TouchedSymbols* found = Named(relation.name.name);
    // A partition is touched by way of its table, unless the statement names it, too.
    if (found == nullptr && !IsNamed(relation)) {
      for (const uint32_t parent : relation.parents) {
        if (IsTouched(parent)) found = Of(parent);
      }
      if (relation.parents.size() != 1) return nullptr;
    }
    return found == nullptr || found->any ? nullptr : found;
  }

 private:
  // Names are without their schemas: where two tables have the same it isn't known whose they are.
  const TouchedSymbols* Named(const std::string& name) const {
    const auto has_name = [&](uint32_t index) {
      return catalog_.relations()[index].name.name == name;
    };
    if (std::ranges::count_if(touched_.relations, has_name) != 1) return nullptr;
    const auto found = std::ranges::find(symbols_, name, &TouchedSymbols::table);
    return found == symbols_.end() ? nullptr : &*found;
  }

  bool IsNamed(const CatalogRelation& relation) const {
    return std::ranges::any_of(statement_.relations, [&](const router::Relation& named) {
      return named.name.name == relation.name.name;
    });
  }

  bool IsTouched(uint32_t index) const {
    return std::ranges::binary_search(touched_.relations, index);
  }

  const router::TouchedTables& touched_;
  const router::Catalog& catalog_;
  const router::StatementFacts& statement_;
  const std::span<const TouchedSymbols> symbols_;
};

}  // namespace

Extent ExtentOf(DatabaseId database, const router::TouchedTables& touched,
                const router::Catalog& catalog, const router::StatementFacts& statement,
                std::span<const TouchedSymbols> symbols) {
  Extent extent{database, {}, touched.unknown};
  if (touched.unknown) return extent;
  const SymbolsOfTables symbols_of(touched, catalog, statement, symbols);
  for (const uint32_t index : touched.relations) {
    const CatalogRelation& relation = catalog.relations()[index];
    Extent::Table& table = extent.tables.emplace_back();
    table.id = TableOf(database, relation.name.schema, relation.name.name);
    const TouchedSymbols* const only = symbols_of.Of(index);
    // No symbol at all is no row, which nobody can tell from a table as a whole here.
    if (only == nullptr) continue;
    for (const std::string& symbol : only->symbols) table.symbols.push_back(SymbolOf(symbol));
  }
  return extent;
}

void Unite(Extent& extent, Extent other) {
  if (extent.database.value == 0) extent.database = other.database;
  if (extent.database != other.database) extent.further.push_back(other.database);
  extent.further.insert(extent.further.end(), other.further.begin(), other.further.end());
  extent.unknown = extent.unknown || other.unknown;
  std::ranges::move(other.tables, std::back_inserter(extent.tables));
}

}  // namespace pgweir::cache
