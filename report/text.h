#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir::report {

// The text's beginning, of so many bytes at most, with no character of UTF-8 cut in two.
std::string_view CutText(std::string_view text, size_t max_bytes);

// A statement's shape on one line: its literals as "?", white space and control characters as one
// space, comments left out. Made to be recognised by people; it is not the digest.
std::string OutlineOf(std::string_view sql, size_t max_bytes);

// With "?" for control characters, those of Unicode too: a log must not steer a terminal.
std::string PrintableText(std::string_view text);

// The beginning that takes so many columns, with "…" where something is left out. Each character
// counts as one column.
std::string CutColumns(std::string_view text, size_t columns);

}  // namespace pgweir::report
