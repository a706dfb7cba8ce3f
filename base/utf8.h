#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir {

// How many bytes the UTF-8 character at the front of the text has (RFC 3629, section 4); 0 = it
// begins with none.
size_t Utf8Size(std::string_view text);

// The text with each byte that is no part of a UTF-8 character as "?".
std::string ToUtf8(std::string_view text);

}  // namespace pgweir
