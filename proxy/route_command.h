#pragma once

#include <string>

#include "proxy/command_line.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// What `pgweir route` prints, for a database that the configuration has. When its server can't be
// asked for the catalog, a line on stderr says so.
std::string AnswerRoute(const Snapshot& snapshot, const CommandLine& command);

}  // namespace pgweir::proxy
