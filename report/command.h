#pragma once

#include <string_view>
#include <vector>

namespace pgweir::report {

// `pgweir report` with these arguments. What the process exits with.
int RunReport(const std::vector<std::string_view>& arguments);

}  // namespace pgweir::report
