#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgweir::config {

// The largest size that a key may take.
inline constexpr uint64_t kMaxSize = uint64_t{1} << 40;

// "512B", "64KiB", "256MiB", "1GiB": a whole number and a unit, up to kMaxSize bytes. None for
// anything else.
std::optional<uint64_t> ParseSize(std::string_view text);

}  // namespace pgweir::config
