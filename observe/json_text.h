#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir::observe {

// Appends `text` to the inside of a JSON string, so that JSON's readers get it back, and so that
// pgBadger, which finds the end of a string by what follows a quote and drops lines that look like
// other programs', reads the same: a brace behind an escaped quote, a comma between one and the
// end, and the colon of "INFO: " are written as \uXXXX. Bytes that are no UTF-8 become U+FFFD. The
// result has no control characters, so no newline either.
void AppendJson(std::string_view text, std::string& out);

// Appends a whole JSON value as a server wrote it, without line breaks and the spaces between its
// tokens. Bytes that are no UTF-8 become "?".
void AppendJsonValue(std::string_view json, std::string& out);

// The first `max` bytes of a text, without the part of a character at its end.
std::string_view CutUtf8(std::string_view text, size_t max);

}  // namespace pgweir::observe
