#pragma once

#include <string>

#include "proxy/host.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// What Prometheus is told, in its text format. Any thread. The number of series is bounded: of
// pools those that weigh most are told apart.
std::string MetricsText(const Shared& shared, const Snapshot& snapshot);

}  // namespace pgweir::proxy
