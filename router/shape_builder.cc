#include "router/shape_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

// What the server calls a column that has no AS; "" when that is not told here.
std::string ColumnNameOf(const PgQuery__Node* node) {
  if (node == nullptr) return "";
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF: {
      const auto parts = NameParts(node->column_ref->fields, node->column_ref->n_fields);
      return parts.empty() ? "" : std::string(parts.back());
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL: {
      const auto parts = NameParts(node->func_call->funcname, node->func_call->n_funcname);
      return parts.empty() ? "" : std::string(parts.back());
    }
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const PgQuery__Node* const inner = node->type_cast->arg;
      const bool named = inner && (inner->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ||
                                   inner->node_case == PG_QUERY__NODE__NODE_FUNC_CALL);
      if (named) return ColumnNameOf(inner);
      const PgQuery__TypeName* const type = node->type_cast->type_name;
      const bool plain = inner && (inner->node_case == PG_QUERY__NODE__NODE_A_CONST ||
                                   inner->node_case == PG_QUERY__NODE__NODE_PARAM_REF);
      if (!plain || type == nullptr || type->n_names == 0) return "";
      return std::string(TextOf(type->names[type->n_names - 1]));
    }
    case PG_QUERY__NODE__NODE_A_EXPR:
      return node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP ? "?column?" : "";
    case PG_QUERY__NODE__NODE_A_CONST:
    case PG_QUERY__NODE__NODE_PARAM_REF:
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return "?column?";
    default:
      return "";
  }
}

QueryShapeRef Share(QueryShape shape) {
  return std::make_shared<const QueryShape>(std::move(shape));
}

// Of SET (a, b) = (1, 2) what the column is set to; null when that can't be told.
const PgQuery__Node* PartOf(const PgQuery__Node* value) {
  const auto* part = As<PgQuery__MultiAssignRef>(value, pg_query__multi_assign_ref__descriptor);
  if (part == nullptr) return value;
  const auto* row = As<PgQuery__RowExpr>(part->source, pg_query__row_expr__descriptor);
  const auto index = static_cast<size_t>(part->colno) - 1;
  return row != nullptr && index < row->n_args ? row->args[index] : nullptr;
}

}  // namespace

QueryShapeRef ShapeBuilder::Build(const PgQuery__Node* query) {
  if (query == nullptr) return nullptr;
  switch (query->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return BuildSelect(*query->select_stmt);
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return BuildInsert(*query->insert_stmt);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return BuildUpdate(*query->update_stmt);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return BuildDelete(*query->delete_stmt);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return BuildMerge(*query->merge_stmt);
    default:
      return nullptr;
  }
}

QueryShapeRef ShapeBuilder::BuildSelect(const PgQuery__SelectStmt& select) {
  Block block;
  BeginWith(select.with_clause);
  QueryShape& shape = block.shape;
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE && select.larg && select.rarg) {
    shape.kind = select.op == PG_QUERY__SET_OPERATION__SETOP_UNION ? QueryShape::Kind::kUnion
                 : select.op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT
                     ? QueryShape::Kind::kIntersect
                     : QueryShape::Kind::kExcept;
    shape.all = select.all;
    shape.arms = {BuildSelect(*select.larg), BuildSelect(*select.rarg)};
  } else if (select.n_values_lists > 0) {
    shape.kind = QueryShape::Kind::kValues;
    AddRows(select.values_lists, select.n_values_lists, block);
  }
  AddFrom(select.from_clause, select.n_from_clause, block);
  Expression(select.where_clause, block);
  if (select.where_clause) shape.where = PredicateOf(select.where_clause, block);
  AddOutput(select.target_list, select.n_target_list, block);
  AddFeatures(select, block);
  EndWith(select.with_clause, block);
  return Share(std::move(shape));
}

void ShapeBuilder::AddFeatures(const PgQuery__SelectStmt& select, Block& block) {
  uint32_t& features = block.shape.features;
  if (select.n_group_clause > 0 || select.having_clause) features |= QueryShape::kGroups;
  // DISTINCT alone is one empty node.
  if (select.n_distinct_clause > 0) {
    const PgQuery__Node* const first = select.distinct_clause[0];
    const bool on = first && first->node_case != PG_QUERY__NODE__NODE__NOT_SET;
    features |= on ? QueryShape::kDistinct | QueryShape::kDistinctOn : QueryShape::kDistinct;
  }
  if (select.n_window_clause > 0) features |= QueryShape::kWindow;
  if (select.n_sort_clause > 0) features |= QueryShape::kOrders;
  if (select.limit_count || select.limit_offset) features |= QueryShape::kLimits;
  if (select.n_locking_clause > 0) features |= QueryShape::kLocks;
  if (select.into_clause) features |= QueryShape::kInto;
  for (size_t i = 0; i < select.n_group_clause; ++i) {
    if (As<PgQuery__GroupingSet>(select.group_clause[i], pg_query__grouping_set__descriptor)) {
      features |= QueryShape::kGroupingSets;
    }
    const auto* column =
        As<PgQuery__ColumnRef>(select.group_clause[i], pg_query__column_ref__descriptor);
    const auto parts =
        column ? NameParts(column->fields, column->n_fields) : std::vector<std::string_view>();
    if (parts.empty() || parts.size() > 3) continue;
    ColumnName& name = block.shape.group_columns.emplace_back();
    name.column = parts.back();
    if (parts.size() > 1) name.relation = parts[parts.size() - 2];
    if (parts.size() > 2) name.schema = parts[0];
  }
  Expressions(select.distinct_clause, select.n_distinct_clause, block);
  Expressions(select.group_clause, select.n_group_clause, block);
  Expression(select.having_clause, block);
  Expressions(select.window_clause, select.n_window_clause, block);
  Expressions(select.sort_clause, select.n_sort_clause, block);
  Expression(select.limit_offset, block);
  Expression(select.limit_count, block);
}

void ShapeBuilder::BeginWith(const PgQuery__WithClause* with) {
  if (with == nullptr) return;
  const size_t first = ctes_.size();
  for (size_t i = 0; i < with->n_ctes; ++i) {
    const auto* cte =
        As<PgQuery__CommonTableExpr>(with->ctes[i], pg_query__common_table_expr__descriptor);
    Cte entry;
    if (cte) entry.name = cte->ctename;
    if (cte) entry.columns = TextsOf(cte->aliascolnames, cte->n_aliascolnames);
    // Out of reach until it is built, except for a recursive WITH's.
    if (!with->recursive) entry.name = {};
    ctes_.push_back(std::move(entry));
  }
  for (size_t i = 0; i < with->n_ctes; ++i) {
    const auto* cte =
        As<PgQuery__CommonTableExpr>(with->ctes[i], pg_query__common_table_expr__descriptor);
    if (cte == nullptr) continue;
    QueryShapeRef query = Build(cte->ctequery);
    Cte& entry = ctes_[first + i];
    entry.name = cte->ctename;
    entry.query = std::move(query);
  }
}

void ShapeBuilder::EndWith(const PgQuery__WithClause* with, Block& block) {
  if (with == nullptr) return;
  const size_t first = ctes_.size() - with->n_ctes;
  for (size_t i = first; i < ctes_.size(); ++i) {
    const Cte& cte = ctes_[i];
    if (cte.query == nullptr) continue;
    const QueryShape::Kind kind = cte.query->kind;
    const bool writes = kind >= QueryShape::Kind::kInsert;
    block.shape.cte_writes = block.shape.cte_writes || writes;
    // A server doesn't run what only reads and nobody refers to.
    if (writes || cte.recursive) block.shape.ctes.push_back(cte.query);
  }
  ctes_.resize(first);
}

void ShapeBuilder::Expression(const PgQuery__Node* node, Block& block) {
  const ProtobufCMessage* const inner = node ? Unwrap(&node->base) : nullptr;
  if (inner) Expression(*inner, block);
}

void ShapeBuilder::Expressions(PgQuery__Node* const* nodes, size_t count, Block& block) {
  for (size_t i = 0; i < count; ++i) Expression(nodes[i], block);
}

void ShapeBuilder::Expression(const ProtobufCMessage& message, Block& block) {
  if (message.descriptor == &pg_query__sub_link__descriptor) {
    const auto& link = reinterpret_cast<const PgQuery__SubLink&>(message);
    Expression(link.testexpr, block);
    if (QueryShapeRef query = Build(link.subselect)) {
      block.queries.emplace(&link, static_cast<int>(block.shape.queries.size()));
      block.shape.queries.push_back(std::move(query));
    }
    return;
  }
  if (message.descriptor == &pg_query__func_call__descriptor) {
    AddCall(reinterpret_cast<const PgQuery__FuncCall&>(message), block);
  }
  if (message.descriptor == &pg_query__grouping_func__descriptor) {
    block.shape.features |= QueryShape::kGroupingSets;
  }
  ForEachPart(message, [&](const ProtobufCMessage& part) { Expression(part, block); });
}

void ShapeBuilder::AddCall(const PgQuery__FuncCall& call, Block& block) {
  uint32_t& features = block.shape.features;
  if (call.over) {
    features |= QueryShape::kWindow;
  } else if (call.agg_star || call.agg_distinct || call.agg_filter || call.agg_within_group ||
             call.n_agg_order > 0) {
    features |= QueryShape::kAggregates;
  }
  const auto parts = NameParts(call.funcname, call.n_funcname);
  std::string name = parts.empty() ? "" : std::string(parts.back());
  auto& functions = block.shape.functions;
  if (std::find(functions.begin(), functions.end(), name) == functions.end()) {
    functions.push_back(std::move(name));
  }
}

void ShapeBuilder::AddOutput(PgQuery__Node* const* targets, size_t count, Block& block) {
  for (size_t i = 0; i < count; ++i) {
    const auto* target = As<PgQuery__ResTarget>(targets[i], pg_query__res_target__descriptor);
    OutputColumn& column = block.shape.output.emplace_back();
    if (target == nullptr) continue;
    Expression(target->val, block);
    const auto* ref = As<PgQuery__ColumnRef>(target->val, pg_query__column_ref__descriptor);
    column.name = target->name[0] != '\0' ? std::string(target->name) : ColumnNameOf(target->val);
    if (ref == nullptr && IsSpread(target->val)) {
      column.kind = OutputColumn::Kind::kSpread;
      continue;
    }
    if (ref == nullptr) {
      column.value = ValueOf(target->val);
      const bool known = column.value.kind != ShapeValue::Kind::kOther;
      column.kind = known ? OutputColumn::Kind::kValue : OutputColumn::Kind::kOther;
      continue;
    }
    std::vector<std::string_view> parts;
    bool star = false;
    for (size_t field = 0; field < ref->n_fields; ++field) {
      if (As<PgQuery__AStar>(ref->fields[field], pg_query__a__star__descriptor)) {
        star = true;
      } else {
        parts.push_back(TextOf(ref->fields[field]));
      }
    }
    if (star && parts.empty()) {
      column.kind = OutputColumn::Kind::kStar;
    } else if (star && parts.size() <= 2) {
      column.kind = OutputColumn::Kind::kStarOf;
      column.column.relation = parts.back();
      if (parts.size() > 1) column.column.schema = parts[0];
    } else if (!star && !parts.empty() && parts.size() <= 3) {
      column.kind = OutputColumn::Kind::kColumn;
      column.column.column = parts.back();
      if (parts.size() > 1) column.column.relation = parts[parts.size() - 2];
      if (parts.size() > 2) column.column.schema = parts[0];
    }
  }
}

// x.* or (x).*: as many columns as x has.
bool ShapeBuilder::IsSpread(const PgQuery__Node* node) {
  const auto is_star = [](const PgQuery__Node* last) {
    return As<PgQuery__AStar>(last, pg_query__a__star__descriptor) != nullptr;
  };
  const auto* ref = As<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor);
  if (ref != nullptr) return ref->n_fields > 0 && is_star(ref->fields[ref->n_fields - 1]);
  const auto* of = As<PgQuery__AIndirection>(node, pg_query__a__indirection__descriptor);
  return of != nullptr && of->n_indirection > 0 && is_star(of->indirection[of->n_indirection - 1]);
}

void ShapeBuilder::AddRows(PgQuery__Node* const* lists, size_t count, Block& block) {
  for (size_t i = 0; i < count; ++i) {
    auto& row = block.shape.rows.emplace_back();
    const auto* list = As<PgQuery__List>(lists[i], pg_query__list__descriptor);
    if (list == nullptr) continue;
    row.reserve(list->n_items);
    bool places_known = true;
    for (size_t item = 0; item < list->n_items; ++item) {
      places_known = places_known && !IsSpread(list->items[item]);
      row.push_back(places_known ? ValueOf(list->items[item]) : ShapeValue());
      if (row.back().kind == ShapeValue::Kind::kOther) Expression(list->items[item], block);
    }
    if (!places_known) block.shape.features |= QueryShape::kSpreadRows;
  }
}

void ShapeBuilder::AddAssignments(PgQuery__Node* const* targets, size_t count, Block& block) {
  for (size_t i = 0; i < count; ++i) {
    const auto* target = As<PgQuery__ResTarget>(targets[i], pg_query__res_target__descriptor);
    if (target == nullptr) continue;
    Assignment& assignment = block.shape.assignments.emplace_back();
    assignment.column = target->name;
    Expression(target->val, block);
    const PgQuery__Node* const value = PartOf(target->val);
    if (target->n_indirection == 0) assignment.value = ValueOf(value);
    const auto* ref = As<PgQuery__ColumnRef>(value, pg_query__column_ref__descriptor);
    const auto parts =
        ref ? NameParts(ref->fields, ref->n_fields) : std::vector<std::string_view>();
    assignment.excluded =
        parts.size() == 2 && parts[0] == "excluded" && parts[1] == assignment.column;
  }
}

}  // namespace pgweir::router
