#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "report/summary.h"

namespace pgweir::report {

// Reads the files one after the other. Lines and files that can't be read, or not to their end, are
// faults of the summary; only a file that can't be opened is an error, found before any is read.
Status ReadLogs(const std::vector<std::string>& files, Summary& summary);

}  // namespace pgweir::report
