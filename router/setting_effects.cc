#include "router/setting_effects.h"

#include <string>
#include <string_view>
#include <utility>

#include "router/char_class.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = Fold(c);
  return lower;
}

// The server gives these back their defaults at the end of each transaction.
bool IsOfTransaction(std::string_view name) {
  return name == "transaction_isolation" || name == "transaction_read_only" ||
         name == "transaction_deferrable";
}

// SET SESSION CHARACTERISTICS AS TRANSACTION sets the defaults of what it names.
uint32_t WalkCharacteristics(const PgQuery__VariableSetStmt& set,
                             std::vector<SettingEffect>& settings) {
  for (size_t i = 0; i < set.n_args; ++i) {
    const auto* mode = As<PgQuery__DefElem>(set.args[i], pg_query__def_elem__descriptor);
    if (mode == nullptr) continue;
    SettingEffect setting;
    setting.name = std::string("default_") + mode->defname;
    settings.push_back(std::move(setting));
  }
  return kSetsSetting;
}

}  // namespace

uint32_t WalkSet(const PgQuery__VariableSetStmt& set, std::vector<SettingEffect>& settings) {
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL) return kResetsAll;
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI) {
    // SET TRANSACTION and SET TRANSACTION SNAPSHOT end with their transaction.
    const bool session = std::string_view(set.name) == "SESSION CHARACTERISTICS";
    return session ? WalkCharacteristics(set, settings) : kNoEffect;
  }
  SettingEffect setting;
  setting.name = LowerCase(set.name);
  setting.local = set.is_local || IsOfTransaction(setting.name);
  setting.reset = set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                  set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT;
  // seed is no setting to carry: it starts random() anew.
  const uint32_t effects = setting.name == "seed" ? kSetsSetting | kUnseen : kSetsSetting;
  settings.push_back(std::move(setting));
  return effects;
}

}  // namespace pgweir::router
