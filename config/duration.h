#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace pgweir::config {

// The longest duration that a key may take: far beyond use, and far from overflow in any clock.
inline constexpr std::chrono::milliseconds kMaxDuration = std::chrono::hours(24 * 365);

// "250ms", "30s", "10m", "1h", "1d": a whole number and a unit, up to kMaxDuration. None for
// anything else.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace pgweir::config
