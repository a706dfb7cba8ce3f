#pragma once

#include <string_view>

// The pages that pgweir serves or writes, each in one piece that loads nothing else. Made by
// bundle.mjs of this folder's HTML, styles and scripts when pgweir is built.

namespace pgweir::web {

// The report, before and behind its data (report/page.h).
extern const std::string_view kReportHead;
extern const std::string_view kReportTail;

// The dashboard, which asks for its data itself (proxy/dashboard.h).
extern const std::string_view kDashboard;

}  // namespace pgweir::web
