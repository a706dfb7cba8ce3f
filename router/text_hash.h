#pragma once

#include <cstdint>
#include <string_view>

namespace pgweir::router {

// 64 bits of a text, the same in every process and release: digests are shown to people and written
// into configuration files. Not keyed, so whoever compares by it compares the text too.
uint64_t HashText(std::string_view text, uint64_t seed = 0);

}  // namespace pgweir::router
