#include "router/conditions.h"

#include <algorithm>
#include <optional>

#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

using Operand = Condition::Operand;

// A literal or $n. A minus before a number is part of the constant and not of the literal, so a
// negative number is none.
std::optional<Operand> OperandOf(const PgQuery__Node* node, const SqlScan& scan) {
  node = WithoutTextCast(node);
  Operand operand;
  if (const auto* param = As<PgQuery__ParamRef>(node, pg_query__param_ref__descriptor)) {
    // The server refuses $0; the grammar doesn't.
    if (param->number < 1) return std::nullopt;
    operand.parameter = param->number;
    return operand;
  }
  const auto* constant = As<PgQuery__AConst>(node, pg_query__a__const__descriptor);
  if (constant == nullptr) return std::nullopt;
  operand.literal = LiteralAt(scan, constant->location);
  if (operand.literal < 0) return std::nullopt;
  return operand;
}

bool Matches(const FromScope::Item& item, const std::vector<std::string_view>& parts) {
  const std::string_view qualifier = parts[parts.size() - 2];
  if (parts.size() == 2) return qualifier == (item.alias.empty() ? item.name : item.alias);
  return item.alias.empty() && item.name == qualifier && item.schema == parts[parts.size() - 3];
}

// Which relation the column belongs to; nothing when that can't be told, or when the relation's
// rows are not restricted by a condition on it.
std::optional<int> RelationOf(const std::vector<std::string_view>& parts, const FromScope& scope) {
  if (parts.size() > 1) {
    for (const FromScope::Item& item : scope.items) {
      if (Matches(item, parts)) return item.nullable ? std::nullopt : std::optional(item.relation);
    }
    return std::nullopt;
  }
  const bool any_nullable = std::any_of(scope.items.begin(), scope.items.end(),
                                        [](const auto& item) { return item.nullable; });
  if (scope.others || any_nullable || scope.items.empty()) return std::nullopt;
  if (scope.items.size() == 1) return scope.items[0].relation;
  return scope.outermost ? std::optional(-1) : std::nullopt;
}

bool IsEquals(const PgQuery__AExpr& expression) {
  return expression.n_name == 1 && TextOf(expression.name[0]) == "=";
}

class Collector {
 public:
  Collector(const FromScope& scope, const SqlScan& scan, std::vector<Condition>& conditions)
      : scope_(scope), scan_(scan), conditions_(conditions) {}

  void Collect(const PgQuery__Node* node) {
    if (const auto* both = As<PgQuery__BoolExpr>(node, pg_query__bool_expr__descriptor)) {
      if (both->boolop != PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) return;
      for (size_t i = 0; i < both->n_args; ++i) Collect(both->args[i]);
    } else if (const auto* expression = As<PgQuery__AExpr>(node, pg_query__a__expr__descriptor)) {
      if (!IsEquals(*expression)) return;
      if (expression->kind == PG_QUERY__A__EXPR__KIND__AEXPR_IN) return CollectIn(*expression);
      if (expression->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP) return;
      if (!CollectEqual(expression->lexpr, expression->rexpr)) {
        CollectEqual(expression->rexpr, expression->lexpr);
      }
    }
  }

 private:
  // A condition on the column of `node`, without operands yet.
  std::optional<Condition> On(const PgQuery__Node* node) const {
    const auto* column = As<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor);
    if (column == nullptr) return std::nullopt;
    const auto parts = NameParts(column->fields, column->n_fields);
    if (parts.empty() || parts.size() > 3) return std::nullopt;
    const std::optional<int> relation = RelationOf(parts, scope_);
    if (!relation) return std::nullopt;
    Condition condition;
    condition.relation = *relation;
    condition.column = parts.back();
    return condition;
  }

  bool CollectEqual(const PgQuery__Node* left, const PgQuery__Node* right) {
    const std::optional<Operand> operand = OperandOf(right, scan_);
    if (!operand) return false;
    std::optional<Condition> condition = On(left);
    if (!condition) return false;
    condition->operands.push_back(*operand);
    conditions_.push_back(std::move(*condition));
    return true;
  }

  void CollectIn(const PgQuery__AExpr& expression) {
    const auto* list = As<PgQuery__List>(expression.rexpr, pg_query__list__descriptor);
    std::optional<Condition> condition = On(expression.lexpr);
    if (list == nullptr || !condition) return;
    condition->kind = Condition::Kind::kIn;
    for (size_t i = 0; i < list->n_items; ++i) {
      const std::optional<Operand> operand = OperandOf(list->items[i], scan_);
      if (!operand) return;
      condition->operands.push_back(*operand);
    }
    conditions_.push_back(std::move(*condition));
  }

  const FromScope& scope_;
  const SqlScan& scan_;
  std::vector<Condition>& conditions_;
};

}  // namespace

void CollectConditions(const PgQuery__Node* expression, const FromScope& scope, const SqlScan& scan,
                       std::vector<Condition>& conditions) {
  Collector(scope, scan, conditions).Collect(expression);
}

int LiteralAt(const SqlScan& scan, int normal_offset) {
  const auto literals = scan.literals();
  const auto found = std::lower_bound(literals.begin(), literals.end(), normal_offset,
                                      [](const Literal& literal, int offset) {
                                        return static_cast<int64_t>(literal.normal_offset) < offset;
                                      });
  if (found == literals.end() || static_cast<int64_t>(found->normal_offset) != normal_offset) {
    return -1;
  }
  return static_cast<int>(found - literals.begin());
}

const PgQuery__Node* WithoutTextCast(const PgQuery__Node* node) {
  while (const auto* cast = As<PgQuery__TypeCast>(node, pg_query__type_cast__descriptor)) {
    const PgQuery__TypeName* const type = cast->type_name;
    if (type == nullptr || type->n_names == 0 || type->n_typmods != 0 ||
        type->n_array_bounds != 0 || type->setof) {
      return node;
    }
    const std::string_view name = TextOf(type->names[type->n_names - 1]);
    if (name != "text" && name != "varchar") return node;
    node = cast->arg;
  }
  return node;
}

}  // namespace pgweir::router
