#pragma once

#include <cstdint>
#include <limits>

namespace pgweir::observe {

// Whether a draw, evenly spread over its range, falls into the share: never into 0, always into 1.
inline bool IsDrawn(double share, uint32_t random) {
  return random < share * (double{std::numeric_limits<uint32_t>::max()} + 1);
}

}  // namespace pgweir::observe
