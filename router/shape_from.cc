// What stands in the FROM of a query.

#include <algorithm>
#include <utility>

#include "router/shape_builder.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

std::string_view AliasOf(const PgQuery__Alias* alias) {
  return alias ? std::string_view(alias->aliasname) : std::string_view();
}

std::vector<std::string> ColumnAliases(const PgQuery__Alias* alias) {
  return alias ? TextsOf(alias->colnames, alias->n_colnames) : std::vector<std::string>();
}

FromShape Opaque() { return FromShape(); }

}  // namespace

void ShapeBuilder::AddFrom(PgQuery__Node* const* items, size_t count, Block& block) {
  for (size_t i = 0; i < count; ++i) block.shape.from.push_back(FromItem(items[i], block));
}

FromShape ShapeBuilder::FromItem(const PgQuery__Node* item, Block& block) {
  if (const auto* range = As<PgQuery__RangeVar>(item, pg_query__range_var__descriptor)) {
    return FromRelation(*range);
  }
  if (const auto* join = As<PgQuery__JoinExpr>(item, pg_query__join_expr__descriptor)) {
    return FromJoin(*join, block);
  }
  if (const auto* function =
          As<PgQuery__RangeFunction>(item, pg_query__range_function__descriptor)) {
    return FromFunction(*function, block);
  }
  if (const auto* sample =
          As<PgQuery__RangeTableSample>(item, pg_query__range_table_sample__descriptor)) {
    FromShape shape = FromItem(sample->relation, block);
    shape.sampled = true;
    Expressions(sample->args, sample->n_args, block);
    Expression(sample->repeatable, block);
    return shape;
  }
  if (const auto* query =
          As<PgQuery__RangeSubselect>(item, pg_query__range_subselect__descriptor)) {
    FromShape shape;
    shape.kind = FromShape::Kind::kQuery;
    shape.query = Build(query->subquery);
    shape.lateral = query->lateral;
    shape.alias = AliasOf(query->alias);
    shape.column_aliases = ColumnAliases(query->alias);
    return shape.query ? std::move(shape) : Opaque();
  }
  Expression(item, block);
  return Opaque();
}

FromShape ShapeBuilder::FromJoin(const PgQuery__JoinExpr& join, Block& block) {
  FromShape shape;
  shape.kind = FromShape::Kind::kJoin;
  switch (join.jointype) {
    case PG_QUERY__JOIN_TYPE__JOIN_INNER:
      shape.join = FromShape::Join::kInner;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_LEFT:
      shape.join = FromShape::Join::kLeft;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_RIGHT:
      shape.join = FromShape::Join::kRight;
      break;
    default:
      shape.join = FromShape::Join::kFull;
  }
  shape.sides.push_back(FromItem(join.larg, block));
  shape.sides.push_back(FromItem(join.rarg, block));
  Expression(join.quals, block);
  if (join.quals) shape.on = PredicateOf(join.quals, block);
  shape.merged = TextsOf(join.using_clause, join.n_using_clause);
  shape.natural = join.is_natural;
  shape.hides_names = join.alias || join.join_using_alias;
  return shape;
}

FromShape ShapeBuilder::FromRelation(const PgQuery__RangeVar& range) {
  FromShape shape;
  shape.alias = AliasOf(range.alias);
  shape.name = range.relname;
  shape.column_aliases = ColumnAliases(range.alias);
  Cte* const cte = FindCte(range);
  if (cte == nullptr) {
    shape.kind = FromShape::Kind::kRelation;
    shape.schema = range.schemaname;
    return shape;
  }
  if (cte->query == nullptr) cte->recursive = true;
  // What a recursive one ends up with, or a writing one returns, is no filter of its tables.
  if (cte->recursive || cte->query->kind >= QueryShape::Kind::kInsert) return shape;
  shape.kind = FromShape::Kind::kQuery;
  shape.cte = true;
  shape.query = cte->query;
  if (shape.column_aliases.size() < cte->columns.size()) {
    std::copy(cte->columns.begin() + static_cast<ptrdiff_t>(shape.column_aliases.size()),
              cte->columns.end(), std::back_inserter(shape.column_aliases));
  }
  return shape;
}

ShapeBuilder::Cte* ShapeBuilder::FindCte(const PgQuery__RangeVar& range) {
  if (range.schemaname[0] != '\0') return nullptr;
  for (size_t i = ctes_.size(); i > 0; --i) {
    if (!ctes_[i - 1].name.empty() && ctes_[i - 1].name == range.relname) return &ctes_[i - 1];
  }
  return nullptr;
}

FromShape ShapeBuilder::FromFunction(const PgQuery__RangeFunction& function, Block& block) {
  Expression(function.base, block);
  FromShape shape;
  shape.alias = AliasOf(function.alias);
  const auto* list = function.n_functions == 1
                         ? As<PgQuery__List>(function.functions[0], pg_query__list__descriptor)
                         : nullptr;
  const auto* call = list && list->n_items > 0
                         ? As<PgQuery__FuncCall>(list->items[0], pg_query__func_call__descriptor)
                         : nullptr;
  const auto parts =
      call ? NameParts(call->funcname, call->n_funcname) : std::vector<std::string_view>();
  if (parts.empty() || parts.back() != "generate_series" || function.ordinality) return shape;
  shape.kind = FromShape::Kind::kSeries;
  shape.name = "generate_series";
  shape.column_aliases = ColumnAliases(function.alias);
  return shape;
}

}  // namespace pgweir::router
