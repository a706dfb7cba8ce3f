// INSERT, UPDATE, DELETE and MERGE.

#include <memory>
#include <utility>

#include "router/shape_builder.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

FromShape Target(const PgQuery__RangeVar& range) {
  FromShape target;
  target.kind = FromShape::Kind::kRelation;
  target.schema = range.schemaname;
  target.name = range.relname;
  if (range.alias) target.alias = range.alias->aliasname;
  return target;
}

QueryShapeRef Share(QueryShape shape) {
  return std::make_shared<const QueryShape>(std::move(shape));
}

}  // namespace

QueryShapeRef ShapeBuilder::BuildInsert(const PgQuery__InsertStmt& insert) {
  Block block;
  BeginWith(insert.with_clause);
  QueryShape& shape = block.shape;
  shape.kind = QueryShape::Kind::kInsert;
  if (insert.relation) shape.from.push_back(Target(*insert.relation));
  for (size_t i = 0; i < insert.n_cols; ++i) {
    const auto* column = As<PgQuery__ResTarget>(insert.cols[i], pg_query__res_target__descriptor);
    shape.columns.emplace_back(column ? column->name : "");
  }
  if (insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE) {
    shape.features |= QueryShape::kUserValues;
  }
  if (insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE) {
    shape.features |= QueryShape::kSystemValues;
  }
  const auto* source =
      As<PgQuery__SelectStmt>(insert.select_stmt, pg_query__select_stmt__descriptor);
  const bool plain_rows = source && source->n_values_lists > 0 && !source->with_clause &&
                          !source->limit_count && !source->limit_offset;
  if (plain_rows) {
    AddRows(source->values_lists, source->n_values_lists, block);
  } else if (source) {
    shape.arms.push_back(BuildSelect(*source));
  }
  if (const PgQuery__OnConflictClause* const conflict = insert.on_conflict_clause) {
    AddAssignments(conflict->target_list, conflict->n_target_list, block);
    Expression(conflict->where_clause, block);
    if (conflict->infer) Expression(conflict->infer->base, block);
  }
  AddOutput(insert.returning_list, insert.n_returning_list, block);
  EndWith(insert.with_clause, block);
  return Share(std::move(shape));
}

QueryShapeRef ShapeBuilder::BuildUpdate(const PgQuery__UpdateStmt& update) {
  Block block;
  BeginWith(update.with_clause);
  block.shape.kind = QueryShape::Kind::kUpdate;
  if (update.relation) block.shape.from.push_back(Target(*update.relation));
  AddFrom(update.from_clause, update.n_from_clause, block);
  Expression(update.where_clause, block);
  if (update.where_clause) block.shape.where = PredicateOf(update.where_clause, block);
  AddAssignments(update.target_list, update.n_target_list, block);
  AddOutput(update.returning_list, update.n_returning_list, block);
  EndWith(update.with_clause, block);
  return Share(std::move(block.shape));
}

QueryShapeRef ShapeBuilder::BuildDelete(const PgQuery__DeleteStmt& remove) {
  Block block;
  BeginWith(remove.with_clause);
  block.shape.kind = QueryShape::Kind::kDelete;
  if (remove.relation) block.shape.from.push_back(Target(*remove.relation));
  AddFrom(remove.using_clause, remove.n_using_clause, block);
  Expression(remove.where_clause, block);
  if (remove.where_clause) block.shape.where = PredicateOf(remove.where_clause, block);
  AddOutput(remove.returning_list, remove.n_returning_list, block);
  EndWith(remove.with_clause, block);
  return Share(std::move(block.shape));
}

// Its condition restricts neither side: rows that don't match have their actions too.
QueryShapeRef ShapeBuilder::BuildMerge(const PgQuery__MergeStmt& merge) {
  Block block;
  BeginWith(merge.with_clause);
  block.shape.kind = QueryShape::Kind::kMerge;
  if (merge.relation) block.shape.from.push_back(Target(*merge.relation));
  if (merge.source_relation) block.shape.from.push_back(FromItem(merge.source_relation, block));
  Expression(merge.join_condition, block);
  Expressions(merge.merge_when_clauses, merge.n_merge_when_clauses, block);
  EndWith(merge.with_clause, block);
  return Share(std::move(block.shape));
}

}  // namespace pgweir::router
