#pragma once

#include <vector>

#include "config/config.h"
#include "pooler/server_list.h"

namespace pgweir::proxy {

// The nodes of a configuration, as those see them who watch them.
std::vector<pooler::NodeSettings> NodesOf(const config::Config& config);

}  // namespace pgweir::proxy
