#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace pgweir::config {

// The settings that PgBouncer's connect_query makes: "SET name = value" or "TO value", several with
// semicolons between. As settings of the connection they outlive every RESET, which what a query
// sets does not. An error for anything else; "SELECT 1", PgBouncer's own example, does nothing.
StatusOr<std::vector<std::pair<std::string, std::string>>> SettingsOfConnectQuery(
    std::string_view text);

}  // namespace pgweir::config
