#include "router/placement_tables.h"

#include <algorithm>

namespace pgweir::router {
namespace {

constexpr std::array<size_t, kPlacementQueries> kColumnCounts = {5, 5, 10, 7, 8};
constexpr int kMaxAncestors = 100;

const std::vector<CatalogRow>& Rows(const PlacementRows& rows, PlacementQuery query) {
  return rows[static_cast<size_t>(query)];
}

Status CheckShape(std::string_view node, const PlacementRows& rows) {
  for (size_t query = 0; query < kPlacementQueries; ++query) {
    for (const CatalogRow& row : rows[query]) {
      if (row.size() == kColumnCounts[query]) continue;
      return Errorf(sqlstate::kInternalError,
                    "placement query {} of node {} gave {} columns instead of {}", query, node,
                    row.size(), kColumnCounts[query]);
    }
  }
  return absl::OkStatus();
}

TextArray List(const std::string& text) { return ParseTextArray(text).value_or(TextArray()); }

// A partition is where its parent is.
TablePlace PlaceOf(const NodeTables::Table& table, const NodeTables& of, const ShardMap& map,
                   int depth) {
  TablePlace place = map.PlaceOf(table.name);
  for (const QualifiedName& name : table.parents) {
    if (place.placement != Placement::kUnlisted || depth > kMaxAncestors) break;
    const NodeTables::Table* const parent = of.Find(name);
    if (parent != nullptr) place = PlaceOf(*parent, of, map, depth + 1);
  }
  return place;
}

}  // namespace

const NodeTables::Column* NodeTables::Table::Find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

const NodeTables::Table* NodeTables::Find(const QualifiedName& name) const {
  const auto found = tables.find({name.schema, name.name});
  return found == tables.end() ? nullptr : &found->second;
}

StatusOr<NodeTables> ReadTables(std::string_view node, const PlacementRows& rows,
                                const ShardMap& map) {
  if (Status status = CheckShape(node, rows); !status.ok()) return status;
  NodeTables read;
  read.node = node;
  for (const CatalogRow& row : Rows(rows, PlacementQuery::kDatabase)) read.database = row;
  for (const CatalogRow& row : Rows(rows, PlacementQuery::kTables)) {
    NodeTables::Table& table = read.tables[{row[0], row[1]}];
    table.name = {row[0], row[1]};
    table.kind = row[2];
    if (!row[4].empty()) table.parents.push_back({row[3], row[4]});
  }
  const auto with_table = [&](PlacementQuery query, const auto& add) {
    for (const CatalogRow& row : Rows(rows, query)) {
      const auto found = read.tables.find({row[0], row[1]});
      if (found != read.tables.end()) add(row, found->second);
    }
  };
  with_table(PlacementQuery::kColumns, [](const CatalogRow& row, NodeTables::Table& table) {
    table.columns.push_back(
        {row[2], row[3], row[5], row[4] == "t", row[6], row[7] == "t", row[8], row[9]});
  });
  with_table(PlacementQuery::kKeys, [](const CatalogRow& row, NodeTables::Table& table) {
    table.keys.push_back({row[2], row[3], List(row[4]), row[5] == "t", row[6]});
  });
  with_table(PlacementQuery::kForeignKeys, [](const CatalogRow& row, NodeTables::Table& table) {
    table.foreign_keys.push_back({row[2], List(row[3]), {row[4], row[5]}, List(row[6]), row[7]});
  });
  for (auto& [name, table] : read.tables) table.place = PlaceOf(table, read, map, 0);
  return read;
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

std::string QuotedName(const QualifiedName& name) {
  return QuotedName(name.schema) + "." + QuotedName(name.name);
}

std::string QuotedNames(const TextArray& names) {
  std::string list = "(";
  for (const auto& name : names) {
    if (list.size() > 1) list += ", ";
    list += name ? QuotedName(*name) : "an expression";
  }
  return list + ")";
}

}  // namespace pgweir::router
