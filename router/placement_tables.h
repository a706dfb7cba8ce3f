#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "router/placement_queries.h"
#include "router/shard_map.h"
#include "router/text_array.h"

namespace pgweir::router {

// The tables of one node, each with its place in a shard map.
struct NodeTables {
  struct Column {
    std::string name, type, collation;
    bool text = false;  // its type is text, varchar or char(n)
    std::string order;  // how its collation compares: CatalogQuery::kColumns
    bool not_null = false;
    std::string draws;     // "i" from an identity, "s" from a sequence, "" from none
    std::string sequence;  // quoted; "" when it can't be told
  };
  struct Key {
    std::string kind, name;
    TextArray columns;  // nothing stands for an expression
    bool partial = false;
    std::string definition;
  };
  struct ForeignKey {
    std::string name;
    TextArray columns;
    QualifiedName target;
    TextArray target_columns;
    std::string rules;
  };
  struct Table {
    QualifiedName name;
    std::string kind;  // pg_class.relkind
    std::vector<QualifiedName> parents;
    TablePlace place;
    std::vector<Column> columns;
    std::vector<Key> keys;
    std::vector<ForeignKey> foreign_keys;

    const Column* Find(std::string_view column) const;
  };

  std::string node;
  CatalogRow database;
  std::map<std::pair<std::string, std::string>, Table> tables;  // by schema and name

  const Table* Find(const QualifiedName& name) const;
};

// What a node's rows say. `map` outlives the result.
StatusOr<NodeTables> ReadTables(std::string_view node, const PlacementRows& rows,
                                const ShardMap& map);

// As SQL writes them: "a", "public"."a", ("a", "b").
std::string QuotedName(std::string_view name);
std::string QuotedName(const QualifiedName& name);
std::string QuotedNames(const TextArray& names);

}  // namespace pgweir::router
