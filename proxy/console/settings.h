#pragma once

#include <string_view>

#include "base/status.h"
#include "config/config.h"

namespace pgweir::proxy {

// SET key = value: `config` with that key changed, as [pool] or [listen] of the file would say it.
// Keys go by PgBouncer's names where it has them. 08P01 for one that there is not or that can't
// change while serving, and for a value that it can't have.
Status ChangeSetting(config::Config& config, std::string_view key, std::string_view value);

}  // namespace pgweir::proxy
