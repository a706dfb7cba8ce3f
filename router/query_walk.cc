#include "router/query_walk.h"

#include <algorithm>
#include <utility>

#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

template <typename Message>
const Message& Cast(const ProtobufCMessage& message) {
  return reinterpret_cast<const Message&>(message);
}

}  // namespace

// The CTE names of one query, out of scope again behind it.
class QueryWalk::CteScope {
 public:
  explicit CteScope(QueryWalk& walk) : walk_(walk), size_(walk.ctes_.size()) { ++walk_.queries_; }
  ~CteScope() {
    walk_.ctes_.resize(size_);
    --walk_.queries_;
  }
  CteScope(const CteScope&) = delete;
  CteScope& operator=(const CteScope&) = delete;

 private:
  QueryWalk& walk_;
  const size_t size_;
};

QueryWalk::LevelScope::LevelScope(QueryWalk& walk, FromLevel level)
    : walk_(walk), around_(walk.level_) {
  level.around = around_;
  walk_.level_ = static_cast<int>(walk_.levels_.size());
  walk_.levels_.push_back({std::move(level)});
}

QueryWalk::LevelScope::~LevelScope() {
  walk_.levels_.pop_back();
  walk_.level_ = around_;
}

void QueryWalk::Walk(const PgQuery__Node* node) {
  if (node == nullptr) return;
  if (const ProtobufCMessage* const inner = Unwrap(&node->base)) Walk(*inner);
}

void QueryWalk::Walk(const ProtobufCMessage& message) {
  const ProtobufCMessageDescriptor* const type = message.descriptor;
  if (type == &pg_query__a__const__descriptor || type == &pg_query__column_ref__descriptor ||
      type == &pg_query__type_name__descriptor || type == &pg_query__string__descriptor ||
      type == &pg_query__alias__descriptor || type == &pg_query__variable_set_stmt__descriptor) {
    return;
  }
  if (type == &pg_query__func_call__descriptor) return WalkCall(Cast<PgQuery__FuncCall>(message));
  if (type == &pg_query__select_stmt__descriptor) {
    return WalkSelect(Cast<PgQuery__SelectStmt>(message));
  }
  if (type == &pg_query__range_var__descriptor) {
    return AddRelation(Cast<PgQuery__RangeVar>(message), false);
  }
  if (type == &pg_query__locking_clause__descriptor) return Does(kLocks);
  if (type == &pg_query__insert_stmt__descriptor) {
    return WalkInsert(Cast<PgQuery__InsertStmt>(message));
  }
  if (type == &pg_query__update_stmt__descriptor) {
    return WalkUpdate(Cast<PgQuery__UpdateStmt>(message));
  }
  if (type == &pg_query__delete_stmt__descriptor) {
    return WalkDelete(Cast<PgQuery__DeleteStmt>(message));
  }
  if (type == &pg_query__merge_stmt__descriptor) {
    return WalkMerge(Cast<PgQuery__MergeStmt>(message));
  }
  WalkParts(message);
}

void QueryWalk::WalkParts(const ProtobufCMessage& message) {
  ForEachPart(message, [this](const ProtobufCMessage& part) { Walk(part); });
}

void QueryWalk::WalkNodes(PgQuery__Node* const* nodes, size_t count) {
  for (size_t i = 0; i < count; ++i) Walk(nodes[i]);
}

void QueryWalk::WalkSelect(const PgQuery__SelectStmt& select) {
  const CteScope ctes(*this);
  if (select.with_clause) WalkWith(*select.with_clause);
  if (select.into_clause) WalkInto(*select.into_clause);
  if (select.larg) WalkSelect(*select.larg);
  if (select.rarg) WalkSelect(*select.rarg);
  FromScope scope;
  WalkFrom(select.from_clause, select.n_from_clause, scope);
  const LevelScope names(*this, LevelOf(scope, 0));
  WalkWhere(select.where_clause, scope);
  WalkNodes(select.distinct_clause, select.n_distinct_clause);
  WalkNodes(select.target_list, select.n_target_list);
  WalkNodes(select.group_clause, select.n_group_clause);
  Walk(select.having_clause);
  WalkNodes(select.window_clause, select.n_window_clause);
  WalkNodes(select.values_lists, select.n_values_lists);
  WalkNodes(select.sort_clause, select.n_sort_clause);
  Walk(select.limit_offset);
  Walk(select.limit_count);
  WalkNodes(select.locking_clause, select.n_locking_clause);
}

void QueryWalk::WalkInsert(const PgQuery__InsertStmt& insert) {
  const CteScope ctes(*this);
  const LevelScope names(*this, {.others = true});
  Does(kWrites);
  if (insert.with_clause) WalkWith(*insert.with_clause);
  if (insert.relation) AddRelation(*insert.relation, running_);
  WalkNodes(insert.cols, insert.n_cols);
  Walk(insert.select_stmt);
  if (insert.on_conflict_clause) WalkParts(insert.on_conflict_clause->base);
  WalkNodes(insert.returning_list, insert.n_returning_list);
}

void QueryWalk::WalkUpdate(const PgQuery__UpdateStmt& update) {
  const CteScope ctes(*this);
  const LevelScope names(*this, {.others = true});
  Does(kWrites);
  if (update.with_clause) WalkWith(*update.with_clause);
  FromScope scope;
  if (update.relation) AddTarget(*update.relation, scope);
  WalkFrom(update.from_clause, update.n_from_clause, scope);
  WalkWhere(update.where_clause, scope);
  WalkNodes(update.target_list, update.n_target_list);
  WalkNodes(update.returning_list, update.n_returning_list);
}

void QueryWalk::WalkDelete(const PgQuery__DeleteStmt& remove) {
  const CteScope ctes(*this);
  const LevelScope names(*this, {.others = true});
  Does(kWrites);
  if (remove.with_clause) WalkWith(*remove.with_clause);
  FromScope scope;
  if (remove.relation) AddTarget(*remove.relation, scope);
  WalkFrom(remove.using_clause, remove.n_using_clause, scope);
  WalkWhere(remove.where_clause, scope);
  WalkNodes(remove.returning_list, remove.n_returning_list);
}

// Its join condition restricts nothing: rows that don't match have their actions too.
void QueryWalk::WalkMerge(const PgQuery__MergeStmt& merge) {
  const CteScope ctes(*this);
  const LevelScope names(*this, {.others = true});
  Does(kWrites);
  if (merge.with_clause) WalkWith(*merge.with_clause);
  if (merge.relation) AddRelation(*merge.relation, running_);
  FromScope scope;
  WalkFromItem(merge.source_relation, true, scope);
  Walk(merge.join_condition);
  WalkNodes(merge.merge_when_clauses, merge.n_merge_when_clauses);
}

// SELECT INTO
void QueryWalk::WalkInto(const PgQuery__IntoClause& into) {
  Does(kWrites | kDdl);
  if (into.rel) AddRelation(*into.rel, running_);
  WalkNodes(into.options, into.n_options);
}

// A CTE sees those before it; all of them when RECURSIVE.
void QueryWalk::WalkWith(const PgQuery__WithClause& with) {
  const auto cte = [&with](size_t i) {
    return As<PgQuery__CommonTableExpr>(with.ctes[i], pg_query__common_table_expr__descriptor);
  };
  if (with.recursive) {
    for (size_t i = 0; i < with.n_ctes; ++i) {
      if (cte(i)) ctes_.push_back(cte(i)->ctename);
    }
  }
  for (size_t i = 0; i < with.n_ctes; ++i) {
    if (cte(i) == nullptr) continue;
    WalkParts(cte(i)->base);
    if (!with.recursive) ctes_.push_back(cte(i)->ctename);
  }
}

void QueryWalk::AddRelation(const PgQuery__RangeVar& range, bool written) {
  if (!written && IsCte(range)) return;
  Relation relation;
  relation.name = {range.schemaname, range.relname};
  if (range.alias) relation.alias = range.alias->aliasname;
  relation.written = written;
  facts_.relations.push_back(std::move(relation));
  // PostgreSQL's RELPERSISTENCE_TEMP
  const bool temporary = std::string_view(range.relpersistence) == "t";
  if (temporary || IsTemporarySchema(range.schemaname)) effects_ |= kTemporary;
}

void QueryWalk::AddRelation(const std::vector<std::string_view>& parts, bool written) {
  Relation relation;
  relation.name = LastTwo(parts);
  relation.written = written;
  facts_.relations.push_back(std::move(relation));
}

bool QueryWalk::IsCte(const PgQuery__RangeVar& range) const {
  return range.schemaname[0] == '\0' &&
         std::find(ctes_.begin(), ctes_.end(), range.relname) != ctes_.end();
}

QualifiedName LastTwo(const std::vector<std::string_view>& parts) {
  QualifiedName name;
  if (parts.size() > 1) name.schema = parts[parts.size() - 2];
  if (!parts.empty()) name.name = parts.back();
  return name;
}

std::string_view AliasOf(const PgQuery__Alias* alias) {
  return alias ? std::string_view(alias->aliasname) : std::string_view();
}

bool IsTemporarySchema(std::string_view schema) {
  return schema == "pg_temp" || schema.starts_with("pg_temp_");
}

}  // namespace pgweir::router
