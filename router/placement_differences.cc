// Where nodes disagree about what each of them should have. CHECK constraints may differ: one may
// say which symbols a node has.

#include <algorithm>
#include <set>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include "router/placement_report.h"

namespace pgweir::router {
namespace {

using Severity = PlacementFinding::Severity;
using Table = NodeTables::Table;

constexpr const char* kAlign = "Make it the same on every node.";

std::vector<std::string_view> ColumnNames(const Table& table) {
  std::vector<std::string_view> names;
  for (const NodeTables::Column& column : table.columns) names.push_back(column.name);
  return names;
}

std::string Described(const NodeTables::Key& key) { return key.definition; }
std::string Described(const NodeTables::ForeignKey& key) {
  return QuotedNames(key.columns) + QuotedName(key.target) + QuotedNames(key.target_columns) +
         key.rules;
}

class DifferenceFinder {
 public:
  DifferenceFinder(const ShardMap& map, std::span<const NodeTables> nodes)
      : map_(map), nodes_(nodes) {}

  std::vector<PlacementFinding> Find() {
    if (nodes_.empty()) return {};
    for (const NodeTables& node : nodes_.subspan(1)) CompareDatabase(nodes_[0], node);
    std::set<std::pair<std::string, std::string>> names;
    for (const NodeTables& node : nodes_) {
      for (const auto& [name, table] : node.tables) {
        if (table.place.placement != Placement::kUnlisted) names.insert(name);
      }
    }
    for (const auto& [schema, name] : names) CompareTable({schema, name});
    FindAbsent(map_.source().sharded, names);
    FindAbsent(map_.source().replicated, names);
    return std::move(findings_);
  }

 private:
  void Add(Severity severity, const NodeTables& node, std::string message, std::string advice) {
    findings_.push_back({severity, node.node, table_, std::move(message), std::move(advice)});
  }

  void CompareDatabase(const NodeTables& first, const NodeTables& node) {
    if (first.database == node.database || first.database.empty() || node.database.empty()) return;
    if (first.database[0] != node.database[0]) {
      Add(Severity::kError, node,
          fmt::format("its encoding is {}, that of node {} is {}", node.database[0], first.node,
                      first.database[0]),
          "Give every node the same.");
    }
    const auto locale = [](const CatalogRow& row) {
      std::string text = fmt::format("{}, {}", row[1], row[2]);
      if (row[3] == "i") text += fmt::format(", ICU {}", row[4]);
      if (row[3] == "b") text += fmt::format(", built-in {}", row[4]);
      return text;
    };
    if (locale(first.database) == locale(node.database)) return;
    Add(Severity::kWarning, node,
        fmt::format("its locale is {}, that of node {} is {}: they order and compare texts "
                    "differently",
                    locale(node.database), first.node, locale(first.database)),
        "Give every node the same, or every column of text a collation of its own.");
  }

  // With the first node that has it.
  void CompareTable(const QualifiedName& name) {
    table_ = QuotedName(name);
    const NodeTables* first = nullptr;
    for (const NodeTables& node : nodes_) {
      if (first == nullptr && node.Find(name) != nullptr) first = &node;
    }
    for (const NodeTables& node : nodes_) {
      const Table* const table = node.Find(name);
      if (table == nullptr) {
        Add(Severity::kError, node, "it isn't there",
            fmt::format("Create it as on node {}.", first->node));
      } else if (&node != first) {
        Compare(*first, *first->Find(name), node, *table);
      }
    }
  }

  void Compare(const NodeTables& first, const Table& expected, const NodeTables& node,
               const Table& table) {
    bool same_names = true;
    for (const NodeTables::Column& column : expected.columns) {
      const NodeTables::Column* const found = table.Find(column.name);
      if (found != nullptr) {
        CompareColumn(first, column, node, *found);
        continue;
      }
      same_names = false;
      Add(Severity::kError, node,
          fmt::format("it has no column {}, which it has on node {}", QuotedName(column.name),
                      first.node),
          kAlign);
    }
    for (const NodeTables::Column& column : table.columns) {
      if (expected.Find(column.name) != nullptr) continue;
      same_names = false;
      Add(Severity::kError, node,
          fmt::format("it has a column {}, which it hasn't on node {}", QuotedName(column.name),
                      first.node),
          kAlign);
    }
    if (same_names && ColumnNames(expected) != ColumnNames(table)) {
      Add(Severity::kError, node,
          fmt::format("its columns stand in another order than on node {}", first.node),
          "Make it anew with that order: SELECT * and INSERT without names go by it.");
    }
    CompareNamed("unique or exclusion constraint or index", first, expected.keys, node, table.keys);
    CompareNamed("foreign key", first, expected.foreign_keys, node, table.foreign_keys);
  }

  void CompareColumn(const NodeTables& first, const NodeTables::Column& expected,
                     const NodeTables& node, const NodeTables::Column& column) {
    const std::string name = QuotedName(column.name);
    if (expected.type != column.type) {
      Add(Severity::kError, node,
          fmt::format("the column {} is of type {}, on node {} of {}", name, column.type,
                      first.node, expected.type),
          kAlign);
    } else if (expected.collation != column.collation) {
      Add(Severity::kError, node,
          fmt::format("the column {} has the collation {}, on node {} {}", name,
                      QuotedName(column.collation), first.node, QuotedName(expected.collation)),
          kAlign);
    }
    if (expected.not_null != column.not_null) {
      Add(Severity::kWarning, node,
          fmt::format("the column {} {}, other than on node {}", name,
                      column.not_null ? "is NOT NULL" : "may be null", first.node),
          kAlign);
    }
    if (expected.draws != column.draws) {
      Add(Severity::kWarning, node,
          fmt::format("the column {} {} a sequence, other than on node {}", name,
                      column.draws.empty() ? "doesn't draw from" : "draws from", first.node),
          kAlign);
    }
  }

  template <typename Named>
  void CompareNamed(std::string_view kind, const NodeTables& first,
                    const std::vector<Named>& expected, const NodeTables& node,
                    const std::vector<Named>& found) {
    const auto with_name = [](const std::vector<Named>& among, const std::string& name) {
      return std::find_if(among.begin(), among.end(),
                          [&](const Named& named) { return named.name == name; });
    };
    for (const Named& named : expected) {
      const auto other = with_name(found, named.name);
      if (other != found.end() && Described(*other) == Described(named)) continue;
      Add(Severity::kWarning, node,
          fmt::format("{} {} {} on node {}", kind, QuotedName(named.name),
                      other == found.end() ? "is missing, which is there" : "is another than",
                      first.node),
          kAlign);
    }
    for (const Named& named : found) {
      if (with_name(expected, named.name) != expected.end()) continue;
      Add(Severity::kWarning, node,
          fmt::format("{} {} is there, but not on node {}", kind, QuotedName(named.name),
                      first.node),
          kAlign);
    }
  }

  // Listed, but on no node: perhaps still to be made, perhaps misspelt.
  void FindAbsent(const std::vector<config::ListedTable>& listed,
                  const std::set<std::pair<std::string, std::string>>& names) {
    for (const config::ListedTable& table : listed) {
      const bool there = std::any_of(names.begin(), names.end(), [&](const auto& name) {
        return name.second == table.name && (table.schema.empty() || name.first == table.schema);
      });
      if (there) continue;
      table_ = table.schema.empty() ? QuotedName(table.name)
                                    : QuotedName(QualifiedName{table.schema, table.name});
      findings_.push_back({Severity::kNote, "", table_, "it is listed, but on no node",
                           "Create it, or correct its name in the shard map."});
    }
  }

  const ShardMap& map_;
  std::span<const NodeTables> nodes_;
  std::string table_;
  std::vector<PlacementFinding> findings_;
};

}  // namespace

std::vector<PlacementFinding> FindDifferences(const ShardMap& map,
                                              std::span<const NodeTables> nodes) {
  return DifferenceFinder(map, nodes).Find();
}

}  // namespace pgweir::router
