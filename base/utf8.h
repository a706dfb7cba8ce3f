#pragma once

#include <string>
#include <string_view>

namespace pgweir {

// The text with each byte that is no part of a UTF-8 character (RFC 3629, section 4) as "?".
std::string ToUtf8(std::string_view text);

}  // namespace pgweir
