#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "pg_query/pg_query.pb-c.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// What stands in the FROM of one query, for telling which relation a column belongs to. Its views
// are of the tree.
struct FromScope {
  struct Item {
    std::string_view schema, name, alias;
    int relation = -1;      // index in StatementFacts::relations
    bool nullable = false;  // an outer join may make its columns null
    bool renamed = false;   // its columns have other names here
  };
  std::vector<Item> items;
  // There are columns that belong to none of the items: of a sub-select, a function, a CTE.
  bool others = false;
  bool hides_names = false;  // a join has an alias
  // The query is the statement itself, so an unqualified column can't be a surrounding query's.
  bool outermost = false;
};

// Adds to `conditions` those of `expression`, which AND connects to the rest of the query's filter,
// that restrict one column of an item of the scope to literals or parameters.
void CollectConditions(const PgQuery__Node* expression, const FromScope& scope, const SqlScan& scan,
                       std::vector<Condition>& conditions);

// The index of the literal whose marker stands at this offset of the normalised text, else -1.
int LiteralAt(const SqlScan& scan, int normal_offset);

// The constant under casts to text that don't change it, else the node itself.
const PgQuery__Node* WithoutTextCast(const PgQuery__Node* node);

}  // namespace pgweir::router
