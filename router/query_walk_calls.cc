// The calls of functions in a query, and what those of the server's own do.

#include <algorithm>
#include <utility>

#include "router/function_effects.h"
#include "router/query_walk.h"
#include "router/text_types.h"
#include "router/tree_walk.h"
#include "router/type_names.h"

namespace pgweir::router {

void QueryWalk::WalkCall(const PgQuery__FuncCall& call) {
  const auto parts = NameParts(call.funcname, call.n_funcname);
  const int function = AddFunction(parts);
  const bool built_in = parts.size() == 1 || (parts.size() == 2 && parts[0] == "pg_catalog");
  if (built_in) {
    Does(BuiltInEffects(parts.back()));
    if (parts.back() == "set_config") AddSetConfig(call);
  }
  WalkParts(call.base);
  if (function >= 0) AddCall(call, function);
}

int QueryWalk::AddFunction(const std::vector<std::string_view>& parts) {
  if (parts.empty() || !running_) return -1;
  QualifiedName name = LastTwo(parts);
  auto& functions = facts_.functions;
  const auto known = std::find(functions.begin(), functions.end(), name);
  const auto index = static_cast<int>(known - functions.begin());
  if (known == functions.end()) functions.push_back(std::move(name));
  return index;
}

void QueryWalk::AddCall(const PgQuery__FuncCall& call, int function) {
  const bool by_position = std::none_of(call.args, call.args + call.n_args, [](const auto* node) {
    return As<PgQuery__NamedArgExpr>(node, pg_query__named_arg_expr__descriptor) != nullptr;
  });
  const bool bounded = facts_.calls.size() < StatementFacts::kMaxCalls &&
                       call.n_args <= StatementFacts::kMaxArguments;
  if (!by_position || !bounded || call.func_variadic || call.agg_within_group || call.agg_star) {
    return AddDoubtfulCall(function);
  }
  FunctionCall entry{.function = static_cast<uint32_t>(function)};
  for (size_t i = 0; i < call.n_args; ++i) {
    entry.arguments.push_back(ArgumentOf(call.args[i]));
    if (entry.arguments.back().kind == CallArgument::Kind::kColumn) {
      entry.level = LevelInFacts(level_);
    }
  }
  calls_.emplace(&call, KeepCall(std::move(entry)));
}

void QueryWalk::AddDoubtfulCall(int function) {
  if (function < 0) return;
  KeepCall({.function = static_cast<uint32_t>(function), .plain = false});
}

uint32_t QueryWalk::KeepCall(FunctionCall call) {
  auto& calls = facts_.calls;
  const auto known = std::find(calls.begin(), calls.end(), call);
  const auto index = static_cast<uint32_t>(known - calls.begin());
  if (known == calls.end()) calls.push_back(std::move(call));
  return index;
}

CallArgument QueryWalk::ArgumentOf(const PgQuery__Node* node) {
  using Kind = CallArgument::Kind;
  if (const auto* constant = As<PgQuery__AConst>(node, pg_query__a__const__descriptor)) {
    if (constant->isnull || constant->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
      return {.kind = Kind::kUntyped};
    }
    // A number's type depends on its value, which facts don't know.
    if (constant->val_case != PG_QUERY__A__CONST__VAL_BOOLVAL) return {};
    return {.kind = Kind::kType, .index = kBoolOid};
  }
  if (const auto* cast = As<PgQuery__TypeCast>(node, pg_query__type_cast__descriptor)) {
    const auto type = cast->type_name ? BuiltInType(*cast->type_name) : std::nullopt;
    if (!type) return {};
    return {.kind = Kind::kType, .bare = type->bare, .index = type->oid};
  }
  if (const auto* column = As<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor)) {
    return ColumnArgument(*column);
  }
  if (const auto* call = As<PgQuery__FuncCall>(node, pg_query__func_call__descriptor)) {
    const auto known = calls_.find(call);
    if (known != calls_.end()) return {.kind = Kind::kCall, .index = known->second};
  }
  return {};
}

CallArgument QueryWalk::ColumnArgument(const PgQuery__ColumnRef& column) {
  const auto parts = NameParts(column.fields, column.n_fields);
  if (parts.empty() || parts.size() > 3) return {};
  ColumnName name;
  name.column = parts.back();
  if (parts.size() > 1) name.relation = parts[parts.size() - 2];
  if (parts.size() > 2) name.schema = parts[0];
  auto& columns = facts_.call_columns;
  const auto known = std::find(columns.begin(), columns.end(), name);
  const auto index = static_cast<uint32_t>(known - columns.begin());
  if (known == columns.end()) columns.push_back(std::move(name));
  return {.kind = CallArgument::Kind::kColumn, .index = index};
}

int QueryWalk::LevelInFacts(int level) {
  if (level < 0) return -1;
  const auto index = static_cast<size_t>(level);
  if (levels_[index].in_facts < 0) {
    FromLevel names = levels_[index].names;
    names.around = LevelInFacts(names.around);
    levels_[index].in_facts = static_cast<int>(facts_.levels.size());
    facts_.levels.push_back(std::move(names));
  }
  return levels_[index].in_facts;
}

// set_config(setting_name, new_value, is_local)
void QueryWalk::AddSetConfig(const PgQuery__FuncCall& call) {
  Does(kSetsSetting);
  if (!running_) return;
  const PgQuery__Node* arguments[3] = {};
  for (size_t i = 0; i < call.n_args; ++i) {
    const auto* named =
        As<PgQuery__NamedArgExpr>(call.args[i], pg_query__named_arg_expr__descriptor);
    const std::string_view name = named ? std::string_view(named->name) : std::string_view();
    const size_t position = !named ? i : name == "setting_name" ? 0 : name == "is_local" ? 2 : 1;
    if (position < 3) arguments[position] = named ? named->arg : call.args[i];
  }
  SettingEffect setting;
  const auto* name =
      As<PgQuery__AConst>(WithoutTextCast(arguments[0]), pg_query__a__const__descriptor);
  setting.name_literal = name ? LiteralAt(scan_, name->location) : -1;
  const auto* parameter =
      As<PgQuery__ParamRef>(WithoutTextCast(arguments[0]), pg_query__param_ref__descriptor);
  if (parameter != nullptr) setting.name_parameter = parameter->number;
  setting.unknown = setting.name_literal < 0 && setting.name_parameter == 0;
  // A literal's value is not part of what facts are shared by, so only the keyword says local.
  const auto* local = As<PgQuery__AConst>(arguments[2], pg_query__a__const__descriptor);
  setting.local =
      local && local->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL && local->boolval->boolval;
  settings_.push_back(std::move(setting));
}

}  // namespace pgweir::router
