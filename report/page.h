#pragma once

#include <string>
#include <vector>

#include "report/summary.h"

namespace pgweir::report {

// One HTML page that shows everything in the summary and loads nothing. Of the digests it has the
// kPageDigests that weigh most by total time, by p95 and by calls; the rest is one row.
inline constexpr size_t kPageDigests = 100;
std::string HtmlPage(const Summary& summary, const std::vector<std::string>& files);

// The data of the page alone, as page/data.js reads it.
std::string PageData(const Summary& summary, const std::vector<std::string>& files);

}  // namespace pgweir::report
