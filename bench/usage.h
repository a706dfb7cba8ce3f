#pragma once

#include <string_view>

// What the load tools' command lines have in common.

namespace pgweir::bench {

// Says what is wrong in the name of the running program, and ends it with status 2.
[[noreturn]] void FailUsage(std::string_view what);

// The value of the option --name; FailUsage when it isn't a number from low to high.
int Number(std::string_view name, std::string_view text, int low, int high);

}  // namespace pgweir::bench
