#pragma once

#include "config/config.h"
#include "proxy/placement_check.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// How to log in to each node of a divided database before any client has: as the nodes' connection
// strings say, else as a user whose secret is known as servers want it: auth.query's, an
// administrator, any of the users file. Empty when there is nobody.
PlacementCheck::Nodes LoginsAtLoad(const Snapshot& snapshot, const config::Database& database);

}  // namespace pgweir::proxy
