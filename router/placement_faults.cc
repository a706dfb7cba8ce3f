// What the tables of one node say against the shard map.

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include "router/placement_report.h"

namespace pgweir::router {
namespace {

using Severity = PlacementFinding::Severity;
using Table = NodeTables::Table;

bool Holds(const TextArray& columns, std::string_view column) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const auto& name) { return name && *name == column; });
}

std::string_view KindOf(const NodeTables::Key& key) {
  if (key.kind == "p") return "primary key";
  if (key.kind == "u") return "unique constraint";
  if (key.kind == "x") return "exclusion constraint";
  return key.partial ? "partial unique index" : "unique index";
}

class FaultFinder {
 public:
  FaultFinder(const ShardMap& map, const NodeTables& node) : map_(map), node_(node) {}

  std::vector<PlacementFinding> Find() {
    for (const auto& [name, table] : node_.tables) {
      table_ = &table;
      if (table.place.placement != Placement::kUnlisted) CheckKind();
      if (table.place.placement == Placement::kSharded) CheckSharded();
      for (const NodeTables::ForeignKey& key : table.foreign_keys) CheckForeignKey(key);
    }
    return std::move(findings_);
  }

 private:
  void Add(Severity severity, std::string message, std::string advice) {
    findings_.push_back(
        {severity, node_.node, QuotedName(table_->name), std::move(message), std::move(advice)});
  }

  void CheckKind() {
    if (table_->kind != "v" && table_->kind != "m") return;
    Add(Severity::kError, "it is listed, but it is a view",
        "List the tables that it shows: what a view shows is found by itself.");
  }

  // A partition's columns are its parent's.
  void CheckSharded() {
    for (const NodeTables::Key& key : table_->keys) CheckKey(key);
    if (!table_->parents.empty()) return;
    CheckSymbol();
    for (const NodeTables::Column& column : table_->columns) CheckDefault(column);
  }

  void CheckSymbol() {
    const std::string name = QuotedName(table_->place.column);
    const NodeTables::Column* const symbol = table_->Find(table_->place.column);
    if (symbol == nullptr) {
      return Add(Severity::kError,
                 fmt::format("it has no column {}, which the map divides it by", name),
                 "Name the column that holds its symbols in the shard map.");
    }
    if (!symbol->text) {
      return Add(Severity::kError,
                 fmt::format("the symbol's column {} is of type {}", name, symbol->type),
                 "Make it text, varchar or char(n): others are not routed by.");
    }
    if (symbol->order.empty()) {
      Add(Severity::kError,
          fmt::format("the symbol's column {} has the collation {}, in which different symbols may "
                      "be equal",
                      name, QuotedName(symbol->collation)),
          "Give it a deterministic collation, best \"C\": conditions on it don't route.");
    } else if (symbol->order != "c") {
      Add(Severity::kNote,
          fmt::format(
              "the symbol's column {} has the collation {}: ranges (<, BETWEEN) of it don't "
              "route",
              name, QuotedName(symbol->collation)),
          "Give it the collation \"C\" if they should.");
    }
    if (!symbol->not_null) {
      Add(Severity::kWarning, fmt::format("the symbol's column {} may be null", name),
          "Make it NOT NULL: a row without a symbol belongs to no node.");
    }
  }

  void CheckDefault(const NodeTables::Column& column) {
    if (column.draws.empty()) return;
    const std::string from = column.sequence.empty() ? "" : " " + column.sequence;
    Add(Severity::kWarning,
        fmt::format("{} of the column {} draws from a sequence{} of each node, so that rows which "
                    "are not given their numbers get the same on different nodes",
                    column.draws == "i" ? "the identity" : "the default", QuotedName(column.name),
                    from),
        fmt::format("INSERT … VALUES is given numbers from the node {}; what is written past "
                    "pgweir isn't.",
                    map_.NameOf(map_.default_node())));
  }

  void CheckKey(const NodeTables::Key& key) {
    if (Holds(key.columns, table_->place.column)) return;
    Add(Severity::kWarning,
        fmt::format("the {} {} {} doesn't contain the symbol's column {}: it holds on each node by "
                    "itself",
                    KindOf(key), QuotedName(key.name), QuotedNames(key.columns),
                    QuotedName(table_->place.column)),
        "Add that column to it, or see to it that the values are unique by themselves.");
  }

  // Rows of a table that isn't listed are on the default node only, and so are its constraints of
  // concern.
  void CheckForeignKey(const NodeTables::ForeignKey& key) {
    const Table* const target = node_.Find(key.target);
    const Placement from = table_->place.placement;
    const Placement to = target ? target->place.placement : map_.PlaceOf(key.target).placement;
    if (from == Placement::kUnlisted && node_.node != map_.NameOf(map_.default_node())) return;
    if (to == Placement::kReplicated) return;
    const std::string what = fmt::format("the foreign key {} {} refers to {}", QuotedName(key.name),
                                         QuotedNames(key.columns), QuotedName(key.target));
    if (to == Placement::kUnlisted) {
      if (from == Placement::kUnlisted) return;
      return Add(Severity::kError,
                 fmt::format("{}, which isn't listed: its rows are on the node {} only", what,
                             map_.NameOf(map_.default_node())),
                 fmt::format("List {} as replicated in the shard map, or drop the foreign key.",
                             QuotedName(key.target)));
    }
    if (from != Placement::kSharded) {
      return Add(Severity::kError,
                 fmt::format("{}, which is sharded: rows of other nodes are not found", what),
                 "Drop it, or shard this table by the symbol, too.");
    }
    if (target != nullptr && JoinsSymbols(key, *target)) return;
    Add(Severity::kError,
        fmt::format("{} by other columns than the symbols: rows of other nodes are not found",
                    what),
        "Add the symbols' columns to it, or drop it.");
  }

  bool JoinsSymbols(const NodeTables::ForeignKey& key, const Table& target) const {
    for (size_t i = 0; i < std::min(key.columns.size(), key.target_columns.size()); ++i) {
      if (key.columns[i] == table_->place.column && key.target_columns[i] == target.place.column) {
        return true;
      }
    }
    return false;
  }

  const ShardMap& map_;
  const NodeTables& node_;
  const Table* table_ = nullptr;
  std::vector<PlacementFinding> findings_;
};

}  // namespace

std::vector<PlacementFinding> FindFaults(const ShardMap& map, const NodeTables& node) {
  return FaultFinder(map, node).Find();
}

}  // namespace pgweir::router
