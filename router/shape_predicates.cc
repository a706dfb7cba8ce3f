// The conditions of a query, as far as they may tell which symbols it is about.

#include <charconv>
#include <optional>
#include <utility>

#include "router/conditions.h"
#include "router/shape_builder.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

using Kind = Predicate::Kind;

// The protocol counts them in 16 bits.
constexpr size_t kMaxParameters = 65535;

// A column, perhaps cast to text: that is how the catalog writes comparisons of a varchar.
std::optional<ColumnName> ColumnOf(const PgQuery__Node* node) {
  node = WithoutTextCast(node);
  const auto* column = As<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor);
  if (column == nullptr) return std::nullopt;
  const auto parts = NameParts(column->fields, column->n_fields);
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  ColumnName name;
  name.column = parts.back();
  if (parts.size() > 1) name.relation = parts[parts.size() - 2];
  if (parts.size() > 2) name.schema = parts[0];
  return name;
}

Predicate Not(Predicate predicate) {
  if (predicate.kind == Kind::kAnything) return predicate;
  Predicate negated;
  negated.kind = Kind::kNot;
  negated.parts.push_back(std::move(predicate));
  return negated;
}

Predicate And(Predicate a, Predicate b) {
  Predicate both;
  both.kind = Kind::kAnd;
  both.parts.push_back(std::move(a));
  both.parts.push_back(std::move(b));
  return both;
}

// As an operator of pg_catalog; "" when it is written as another schema's.
std::string_view OperatorName(PgQuery__Node* const* nodes, size_t count) {
  const auto parts = NameParts(nodes, count);
  if (parts.size() == 1) return parts[0];
  return parts.size() == 2 && parts[0] == "pg_catalog" ? parts[1] : std::string_view();
}

Kind KindOf(std::string_view op) {
  if (op == "=") return Kind::kEqual;
  if (op == "<") return Kind::kLess;
  if (op == "<=") return Kind::kLessEqual;
  if (op == ">") return Kind::kGreater;
  if (op == ">=") return Kind::kGreaterEqual;
  if (op == "~~") return Kind::kLike;
  if (op == "^@") return Kind::kStartsWith;
  return Kind::kAnything;
}

// The operator with its sides changed; kAnything for those that don't have one.
Kind Mirrored(Kind kind) {
  switch (kind) {
    case Kind::kEqual:
      return kind;
    case Kind::kLess:
      return Kind::kGreater;
    case Kind::kLessEqual:
      return Kind::kGreaterEqual;
    case Kind::kGreater:
      return Kind::kLess;
    case Kind::kGreaterEqual:
      return Kind::kLessEqual;
    default:
      return Kind::kAnything;
  }
}

// The array under casts to text[] and varchar[].
const PgQuery__Node* WithoutArrayCast(const PgQuery__Node* node) {
  while (const auto* cast = As<PgQuery__TypeCast>(node, pg_query__type_cast__descriptor)) {
    const PgQuery__TypeName* const type = cast->type_name;
    if (type == nullptr || type->n_names == 0 || type->n_typmods != 0 ||
        type->n_array_bounds != 1 || type->setof) {
      return node;
    }
    const std::string_view name = TextOf(type->names[type->n_names - 1]);
    if (name != "text" && name != "varchar") return node;
    node = cast->arg;
  }
  return node;
}

}  // namespace

Predicate ShapeBuilder::PredicateOf(const PgQuery__Node* node, const Block& block) const {
  if (const auto* logic = As<PgQuery__BoolExpr>(node, pg_query__bool_expr__descriptor)) {
    if (logic->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR) {
      return logic->n_args == 1 ? Not(PredicateOf(logic->args[0], block)) : Predicate();
    }
    Predicate result;
    result.kind = logic->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR ? Kind::kAnd : Kind::kOr;
    for (size_t i = 0; i < logic->n_args; ++i) {
      result.parts.push_back(PredicateOf(logic->args[i], block));
    }
    return result;
  }
  if (const auto* expression = As<PgQuery__AExpr>(node, pg_query__a__expr__descriptor)) {
    return ComparisonOf(*expression);
  }
  if (const auto* call = As<PgQuery__FuncCall>(node, pg_query__func_call__descriptor)) {
    const bool starts_with = OperatorName(call->funcname, call->n_funcname) == "starts_with";
    return starts_with && call->n_args == 2 ? Compare("^@", call->args[0], call->args[1])
                                            : Predicate();
  }
  const auto* link = As<PgQuery__SubLink>(node, pg_query__sub_link__descriptor);
  if (link == nullptr || link->sub_link_type != PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK) return {};
  const auto column = ColumnOf(link->testexpr);
  const auto query = block.queries.find(link);
  const bool equals =
      link->n_oper_name == 0 || OperatorName(link->oper_name, link->n_oper_name) == "=";
  if (!column || query == block.queries.end() || !equals) return {};
  Predicate result;
  result.kind = Kind::kInQuery;
  result.column = *column;
  result.query = query->second;
  return result;
}

Predicate ShapeBuilder::ComparisonOf(const PgQuery__AExpr& expression) const {
  const std::string_view op = OperatorName(expression.name, expression.n_name);
  const auto* list = As<PgQuery__List>(expression.rexpr, pg_query__list__descriptor);
  switch (expression.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
      if (As<PgQuery__RowExpr>(expression.lexpr, pg_query__row_expr__descriptor)) {
        return op == "=" ? RowComparison(expression) : Predicate();
      }
      if (op == "<>") return Not(Compare("=", expression.lexpr, expression.rexpr));
      if (op == "!~~") return Not(Compare("~~", expression.lexpr, expression.rexpr));
      return Compare(op, expression.lexpr, expression.rexpr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
      return op == "=" ? InArray(expression.lexpr, expression.rexpr) : Predicate();
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return op == "<>" ? Not(InArray(expression.lexpr, expression.rexpr)) : Predicate();
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN: {
      if (list == nullptr) return {};
      Predicate in = InList(expression.lexpr, list->items, list->n_items);
      return op == "=" ? std::move(in) : op == "<>" ? Not(std::move(in)) : Predicate();
    }
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
      return Between(expression);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
      return Not(Between(expression));
    default:
      return {};
  }
}

// (a, b) = (1, 2) is a = 1 AND b = 2.
Predicate ShapeBuilder::RowComparison(const PgQuery__AExpr& expression) const {
  const auto* left = As<PgQuery__RowExpr>(expression.lexpr, pg_query__row_expr__descriptor);
  const auto* right = As<PgQuery__RowExpr>(expression.rexpr, pg_query__row_expr__descriptor);
  if (left == nullptr || right == nullptr || left->n_args != right->n_args) return {};
  Predicate all;
  all.kind = Kind::kAnd;
  for (size_t i = 0; i < left->n_args; ++i) {
    all.parts.push_back(Compare("=", left->args[i], right->args[i]));
  }
  return all;
}

Predicate ShapeBuilder::Compare(std::string_view op, const PgQuery__Node* left,
                                const PgQuery__Node* right) const {
  Predicate result;
  const Kind kind = KindOf(op);
  if (kind == Kind::kAnything) return result;
  auto column = ColumnOf(left);
  auto other = ColumnOf(right);
  if (column && other) {
    if (kind != Kind::kEqual) return result;
    result.kind = Kind::kSameColumn;
    result.column = std::move(*column);
    result.other = std::move(*other);
    return result;
  }
  if (!column && !other) return result;
  const ShapeValue value = ValueOf(column ? right : left);
  if (value.kind == ShapeValue::Kind::kOther) return result;
  result.kind = column ? kind : Mirrored(kind);
  result.column = std::move(column ? *column : *other);
  result.values.push_back(value);
  return result;
}

// column IN (values), (a, b) IN ((1, 2), …)
Predicate ShapeBuilder::InList(const PgQuery__Node* left, PgQuery__Node* const* items,
                               size_t count) const {
  Predicate result;
  if (const auto* row = As<PgQuery__RowExpr>(left, pg_query__row_expr__descriptor)) {
    result.kind = Kind::kOr;
    for (size_t i = 0; i < count; ++i) {
      const auto* item = As<PgQuery__RowExpr>(items[i], pg_query__row_expr__descriptor);
      if (item == nullptr || item->n_args != row->n_args) return {};
      Predicate all;
      all.kind = Kind::kAnd;
      for (size_t part = 0; part < row->n_args; ++part) {
        all.parts.push_back(Compare("=", row->args[part], item->args[part]));
      }
      result.parts.push_back(std::move(all));
    }
    return result;
  }
  auto column = ColumnOf(left);
  if (!column) return result;
  for (size_t i = 0; i < count; ++i) {
    result.values.push_back(ValueOf(items[i]));
    if (result.values.back().kind == ShapeValue::Kind::kOther) return {};
  }
  result.kind = Kind::kIn;
  result.column = std::move(*column);
  return result;
}

Predicate ShapeBuilder::InArray(const PgQuery__Node* left, const PgQuery__Node* array) const {
  const PgQuery__Node* const bare = WithoutArrayCast(array);
  if (const auto* list = As<PgQuery__AArrayExpr>(bare, pg_query__a__array_expr__descriptor)) {
    return InList(left, list->elements, list->n_elements);
  }
  Predicate result;
  auto column = ColumnOf(left);
  const ShapeValue value = ArrayValueOf(array);
  if (!column || value.kind == ShapeValue::Kind::kOther) return result;
  result.kind = Kind::kInArray;
  result.column = std::move(*column);
  result.values.push_back(value);
  return result;
}

Predicate ShapeBuilder::Between(const PgQuery__AExpr& expression) const {
  const auto* bounds = As<PgQuery__List>(expression.rexpr, pg_query__list__descriptor);
  if (bounds == nullptr || bounds->n_items != 2) return {};
  return And(Compare(">=", expression.lexpr, bounds->items[0]),
             Compare("<=", expression.lexpr, bounds->items[1]));
}

ShapeValue ShapeBuilder::ValueOf(const PgQuery__Node* node) const {
  const PgQuery__Node* const bare = WithoutTextCast(node);
  ShapeValue value = ArrayValueOf(bare);
  if (bare != node) value.cast = true;
  return value;
}

bool ShapeBuilder::Repeats(int parameter) const {
  if (uses_.empty()) {
    uses_.resize(1);
    for (const Token& token : scan_.tokens()) {
      if (token.kind != TokenKind::kParameter) continue;
      const std::string_view digits =
          scan_.normalised().substr(token.normal_offset + 1, token.span.length - 1);
      size_t number = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (number > kMaxParameters) continue;
      if (number >= uses_.size()) uses_.resize(number + 1);
      ++uses_[number];
    }
  }
  const auto index = static_cast<size_t>(parameter);
  return index >= uses_.size() || uses_[index] > 1;
}

// A constant or parameter that nothing is done to but, perhaps, a cast to an array of text.
ShapeValue ShapeBuilder::ArrayValueOf(const PgQuery__Node* node) const {
  ShapeValue value;
  const PgQuery__Node* const bare = WithoutArrayCast(node);
  value.cast = bare != node;
  if (const auto* parameter = As<PgQuery__ParamRef>(bare, pg_query__param_ref__descriptor)) {
    if (parameter->number < 1) return value;
    value.kind = ShapeValue::Kind::kParameter;
    value.index = parameter->number;
    value.repeated = Repeats(parameter->number);
    return value;
  }
  if (As<PgQuery__SetToDefault>(bare, pg_query__set_to_default__descriptor)) {
    value.kind = ShapeValue::Kind::kDefault;
    return value;
  }
  const auto* constant = As<PgQuery__AConst>(bare, pg_query__a__const__descriptor);
  if (constant == nullptr) return value;
  if (constant->isnull) {
    value.kind = ShapeValue::Kind::kNull;
    return value;
  }
  value.index = LiteralAt(scan_, constant->location);
  if (value.index >= 0) value.kind = ShapeValue::Kind::kLiteral;
  return value;
}

}  // namespace pgweir::router
