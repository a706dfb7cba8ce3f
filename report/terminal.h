#pragma once

#include <string>

#include "report/options.h"
#include "report/summary.h"

namespace pgweir::report {

// The report as text, of so many columns where it can be.
std::string TerminalReport(const Summary& summary, const Options& options, size_t columns);

}  // namespace pgweir::report
