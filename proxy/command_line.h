#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pgweir::proxy {

struct CommandLine {
  enum class Command { kRun, kCheck, kRoute, kReport, kHelp, kVersion };
  Command command = Command::kRun;
  std::string config;
  bool daemon = false;  // to the background
  bool quiet = false;   // no log on stderr
  int verbose = 0;
  // Whom root becomes, "" = as the configuration says; of `route` whose statements they are.
  std::string user;
  std::string database, sql;  // of `route`
  // Of `report`: all that comes behind it, which report/options.h reads.
  std::vector<std::string_view> report_arguments;
};

// How a process ends whose arguments make no sense.
inline constexpr int kBadUsage = 2;

// pgweir's commands, or PgBouncer's own way: [-d] [-q] [-v] [-u USER] FILE.
StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string_view>& arguments);

}  // namespace pgweir::proxy
