// What stands in the FROM of a query, and the conditions on it.

#include <optional>
#include <utility>

#include "router/query_walk.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

std::string_view AliasOf(const PgQuery__Alias* alias) {
  return alias ? std::string_view(alias->aliasname) : std::string_view();
}

}  // namespace

void QueryWalk::WalkFrom(PgQuery__Node* const* items, size_t count, FromScope& scope) {
  scope.outermost = queries_ == 1;
  std::vector<const PgQuery__Node*> outer = std::exchange(join_conditions_, {});
  for (size_t i = 0; i < count; ++i) WalkFromItem(items[i], false, scope);
  for (const PgQuery__Node* condition : join_conditions_) {
    CollectConditions(condition, scope, scan_, facts_.conditions);
  }
  join_conditions_ = std::move(outer);
}

void QueryWalk::WalkFromItem(const PgQuery__Node* item, bool nullable, FromScope& scope) {
  if (const auto* range = As<PgQuery__RangeVar>(item, pg_query__range_var__descriptor)) {
    AddFromRelation(*range, nullable, scope);
  } else if (const auto* join = As<PgQuery__JoinExpr>(item, pg_query__join_expr__descriptor)) {
    WalkJoin(*join, nullable, scope);
  } else if (const auto* sample =
                 As<PgQuery__RangeTableSample>(item, pg_query__range_table_sample__descriptor)) {
    WalkFromItem(sample->relation, nullable, scope);
    AddDoubtfulCall(AddFunction(NameParts(sample->method, sample->n_method)));
    const LevelScope unknown(*this, {.others = true});
    WalkNodes(sample->args, sample->n_args);
    Walk(sample->repeatable);
  } else {
    // What stands before it can be named in it, unless it is a sub-select without LATERAL.
    const auto* query = As<PgQuery__RangeSubselect>(item, pg_query__range_subselect__descriptor);
    std::optional<LevelScope> before;
    if (query == nullptr || query->lateral) before.emplace(*this, LevelOf(scope, 0));
    scope.others = true;
    Walk(item);
  }
}

void QueryWalk::WalkJoin(const PgQuery__JoinExpr& join, bool nullable, FromScope& scope) {
  const auto type = join.jointype;
  const bool full = type == PG_QUERY__JOIN_TYPE__JOIN_FULL;
  const bool inner = type == PG_QUERY__JOIN_TYPE__JOIN_INNER;
  const size_t first = scope.items.size();
  WalkFromItem(join.larg, nullable || full || type == PG_QUERY__JOIN_TYPE__JOIN_RIGHT, scope);
  WalkFromItem(join.rarg, nullable || full || type == PG_QUERY__JOIN_TYPE__JOIN_LEFT, scope);
  // An alias of a join hides the names of what is joined.
  if (join.alias || join.join_using_alias) scope.others = scope.hides_names = true;
  if (inner && !nullable) join_conditions_.push_back(join.quals);
  // It sees nothing but what it joins.
  const LevelScope joined(*this, LevelOf(scope, first));
  Walk(join.quals);
}

void QueryWalk::AddFromRelation(const PgQuery__RangeVar& range, bool nullable, FromScope& scope) {
  if (IsCte(range)) {
    scope.others = true;
    return;
  }
  AddRelation(range, false);
  scope.items.push_back({range.schemaname, range.relname, AliasOf(range.alias),
                         static_cast<int>(facts_.relations.size()) - 1, nullable,
                         range.alias && range.alias->n_colnames > 0});
}

// Of the scope's items from this one on.
FromLevel QueryWalk::LevelOf(const FromScope& scope, size_t first) {
  const bool bounded = scope.items.size() <= first + FromLevel::kMaxRelations;
  if (scope.hides_names || !bounded) return {.others = true};
  FromLevel level{.others = scope.others};
  for (size_t i = first; i < scope.items.size(); ++i) {
    const FromScope::Item& item = scope.items[i];
    if (item.renamed) {
      level.others = true;
    } else {
      level.relations.push_back(static_cast<uint32_t>(item.relation));
    }
  }
  return level;
}

// What is written is never a CTE, whatever its name.
void QueryWalk::AddTarget(const PgQuery__RangeVar& range, FromScope& scope) {
  AddRelation(range, running_);
  scope.items.push_back({range.schemaname, range.relname, AliasOf(range.alias),
                         static_cast<int>(facts_.relations.size()) - 1, false});
}

void QueryWalk::WalkWhere(const PgQuery__Node* where, const FromScope& scope) {
  CollectConditions(where, scope, scan_, facts_.conditions);
  Walk(where);
}

}  // namespace pgweir::router
