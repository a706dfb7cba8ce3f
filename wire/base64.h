#pragma once

#include <optional>
#include <string>
#include <string_view>

// Base64 with the standard alphabet (RFC 4648, section 4).

namespace pgweir::wire {

std::string Base64Encode(std::string_view bytes);

// Strict: whole groups of four, padding only at the end, no unused bit set, nothing else in
// between. So every value has exactly one accepted text.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace pgweir::wire
