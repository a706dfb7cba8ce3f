#pragma once

#include <string_view>
#include <utility>

namespace pgweir::test {

// A socket that listens on a free port of 127.0.0.1, and the port. The caller closes it. Throws, in
// the name of `who`.
std::pair<int, int> ListenOnLoopback(std::string_view who);

}  // namespace pgweir::test
