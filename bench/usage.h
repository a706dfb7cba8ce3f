#pragma once

#include <getopt.h>

#include <functional>
#include <string_view>

// What the load tools' command lines have in common.

namespace pgweir::bench {

// Says what is wrong in the name of the running program, and ends it with status 2.
[[noreturn]] void FailUsage(std::string_view what);

// Calls `take` with the name and value of each option that is given. Prints `help` and ends the
// program where that is asked for; FailUsage when there is anything that is none of `options`.
void ForEachOption(int argc, char** argv, const option* options, std::string_view help,
                   const std::function<void(std::string_view name, std::string_view value)>& take);

// The value of the option --name; FailUsage when it isn't a number from low to high.
int Number(std::string_view name, std::string_view text, int low, int high);

}  // namespace pgweir::bench
