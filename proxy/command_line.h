#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pgweir::proxy {

struct CommandLine {
  enum class Command { kRun, kCheck, kHelp, kVersion };
  Command command = Command::kRun;
  std::string config;
  bool daemon = false;  // to the background
  bool quiet = false;   // no log on stderr
  int verbose = 0;
  std::string user;  // whom root becomes; "" = as the configuration says
};

// pgweir's commands, or PgBouncer's own way: [-d] [-q] [-v] [-u USER] FILE.
StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string_view>& arguments);

}  // namespace pgweir::proxy
