#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "router/query_shape.h"

namespace pgweir::router {

// Which occurrences of sharded tables a column's values are the symbols of.
struct SymbolSource {
  // Each restricted when the column is; several where a set operation made them one column.
  std::vector<uint32_t> occurrences;
  // A condition on the column may as well be put to the occurrences themselves.
  bool pushable = true;
  // Every value of the column is a symbol of the occurrence.
  bool complete = true;

  bool single() const { return occurrences.size() == 1 && complete; }
};

struct ScopeColumn {
  std::string name;
  SymbolSource source;
  std::optional<ShapeValue> value;  // it is this constant in every row
  uint32_t type = 0;                // its OID; 0 = it isn't known
  bool nullable = false;            // an outer join may leave it NULL, on every node
};

// The names that one query's FROM brings in, for telling whose column a name means.
struct NameScope {
  struct Item {
    std::string schema, name, alias;
    std::vector<ScopeColumn> columns;
    bool known = false;  // all of its columns' names are

    // Null when it has none or several of that name.
    const ScopeColumn* Column(std::string_view column) const;
  };
  struct Range {
    size_t begin = 0;
    size_t end = SIZE_MAX;
  };

  std::vector<Item> items;
  // What USING made one column: the item whose column it equals, -1 for none.
  std::unordered_map<std::string, int> merged;
  bool opaque = false;   // names may mean something else: a join has an alias
  bool natural = false;  // so may those without a table: it isn't known which columns are one
  const NameScope* parent = nullptr;

  // The column that a name means among the items of a range, else around the query. Null when that
  // can't be told for certain.
  const ScopeColumn* Find(const ColumnName& name, Range range) const;
  const ScopeColumn* Find(const ColumnName& name) const { return Find(name, Range()); }
  // The only item of the range with a column of that name, by which USING knows it; -1 when there
  // is none or it can't be told.
  int ItemWith(std::string_view column, Range range) const;

 private:
  const ScopeColumn* FindQualified(const ColumnName& name, Range range) const;
};

}  // namespace pgweir::router
