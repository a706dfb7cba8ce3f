#include "router/call_columns.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace pgweir::router {
namespace {

constexpr uint32_t kDoubt = 0;
// Queries around the call's that are looked into.
constexpr int kMaxLevels = 8;

// Every table has these, though the catalog here doesn't.
constexpr std::array<std::string_view, 7> kSystemColumns = {"cmax",     "cmin", "ctid", "oid",
                                                            "tableoid", "xmax", "xmin"};

enum class Fit : uint8_t { kNo, kMaybe, kYes };

// Whether relation.column or schema.relation.column is of this item of FROM.
Fit Names(const ColumnName& name, const Relation& relation) {
  if (!relation.alias.empty()) {
    return name.schema.empty() && name.relation == relation.alias ? Fit::kYes : Fit::kNo;
  }
  if (name.relation != relation.name.name) return Fit::kNo;
  if (name.schema.empty() || name.schema == relation.name.schema) return Fit::kYes;
  return relation.name.schema.empty() ? Fit::kMaybe : Fit::kNo;
}

// Nothing when it has no such column.
std::optional<uint32_t> TypeIn(const CatalogRelation& relation, std::string_view column) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const CatalogColumn& of) { return of.name == column; });
  return found == relation.columns.end() ? std::nullopt : std::optional(found->type);
}

// Of the column in whichever relation of that name is meant: nothing when none has it.
std::optional<uint32_t> TypeIn(const QualifiedName& relation, std::string_view column,
                               const Catalog& catalog) {
  const auto candidates = catalog.Find(relation);
  if (candidates.empty() || IsSystemRelation(relation)) return kDoubt;
  const std::optional<uint32_t> first = TypeIn(*candidates[0], column);
  for (const CatalogRelation* candidate : candidates) {
    // A sequence's columns aren't known.
    if (candidate->columns.empty() || TypeIn(*candidate, column) != first) return kDoubt;
  }
  return first;
}

// Nothing when the level has no such name, so that it may be one of the level around.
std::optional<uint32_t> TypeIn(const FromLevel& level, const ColumnName& name,
                               const StatementFacts& statement, const Catalog& catalog) {
  if (name.relation.empty() && level.others) return kDoubt;
  std::optional<uint32_t> found;
  for (const uint32_t index : level.relations) {
    const Relation& relation = statement.relations[index];
    const Fit fit = name.relation.empty() ? Fit::kYes : Names(name, relation);
    if (fit == Fit::kNo) continue;
    if (fit == Fit::kMaybe) return kDoubt;
    const std::optional<uint32_t> type = TypeIn(relation.name, name.column, catalog);
    if (!type && name.relation.empty()) continue;
    if (!type || found) return kDoubt;
    found = type;
  }
  if (!found && level.others) return kDoubt;
  return found;
}

}  // namespace

uint32_t TypeOfColumn(const ColumnName& name, int level, const StatementFacts& statement,
                      const Catalog& catalog) {
  if (std::find(kSystemColumns.begin(), kSystemColumns.end(), name.column) !=
      kSystemColumns.end()) {
    return kDoubt;
  }
  for (int i = 0; i < kMaxLevels && level >= 0; ++i) {
    const FromLevel& names = statement.levels[static_cast<size_t>(level)];
    const std::optional<uint32_t> type = TypeIn(names, name, statement, catalog);
    if (type) return *type;
    level = names.around;
  }
  return kDoubt;
}

}  // namespace pgweir::router
