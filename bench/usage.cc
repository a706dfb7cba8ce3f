#include "bench/usage.h"

#include <errno.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "fmt/format.h"

namespace pgweir::bench {

void FailUsage(std::string_view what) {
  fmt::print(stderr, "{}: {}; see --help\n", program_invocation_short_name, what);
  std::exit(2);
}

void ForEachOption(int argc, char** argv, const option* options, std::string_view help,
                   const std::function<void(std::string_view, std::string_view)>& take) {
  int index = 0;
  for (int c; (c = getopt_long(argc, argv, "", options, &index)) != -1;) {
    if (c != 0) FailUsage("unknown option");
    const std::string_view name = options[index].name;
    if (name == "help") {
      fmt::print("{}", help);
      std::exit(0);
    }
    take(name, optarg != nullptr ? optarg : "");
  }
  if (optind != argc) FailUsage(fmt::format("unexpected \"{}\"", argv[optind]));
}

int Number(std::string_view name, std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    FailUsage(fmt::format("--{} takes a number from {} to {}", name, low, high));
  }
  return value;
}

}  // namespace pgweir::bench
