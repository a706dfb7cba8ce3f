#include "proxy/belongings.h"

#include <utility>

namespace pgweir::proxy {

void Belongings::Configure(const config::Pool& limits) {
  mode = limits.mode;
  on_session_state = limits.on_session_state;
  max_prepared = limits.max_prepared_statements;
  passed = mode == config::PoolMode::kSession ? std::make_unique<SessionState>() : nullptr;
}

// Who the client acts as, and whatever else it has set without being told of it, is not to be
// guessed: a server that refuses it must not see the client's statement.
std::string Belongings::SettingsFirst(pooler::Backend& backend) const {
  if (parameters == nullptr || Agrees(backend)) return "";
  if (custom_settings() != 0) backend.custom_settings = custom_settings();
  return wire::SettingsChange(*backend.parameters, *parameters);
}

void Belongings::SettingsDone(pooler::Backend& backend) const {
  auto changed = std::make_shared<wire::Parameters>(*backend.parameters);
  changed->set_unreported(parameters->unreported());
  backend.parameters = std::move(changed);
}

}  // namespace pgweir::proxy
