// The calls of functions in a query, and what those of the server's own do.

#include <algorithm>
#include <utility>

#include "router/function_effects.h"
#include "router/query_walk.h"
#include "router/tree_walk.h"

namespace pgweir::router {

void QueryWalk::WalkCall(const PgQuery__FuncCall& call) {
  const auto parts = NameParts(call.funcname, call.n_funcname);
  AddFunction(parts);
  const bool built_in = parts.size() == 1 || (parts.size() == 2 && parts[0] == "pg_catalog");
  if (built_in) {
    Does(BuiltInEffects(parts.back()));
    if (parts.back() == "set_config") AddSetConfig(call);
  }
  WalkParts(call.base);
}

void QueryWalk::AddFunction(const std::vector<std::string_view>& parts) {
  if (parts.empty() || !running_) return;
  QualifiedName name = LastTwo(parts);
  auto& functions = facts_.functions;
  if (std::find(functions.begin(), functions.end(), name) == functions.end()) {
    functions.push_back(std::move(name));
  }
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
