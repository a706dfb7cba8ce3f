#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The character classes of PostgreSQL's scanner (src/backend/parser/scan.l).

namespace pgweir::router {

enum CharClass : uint8_t {
  kSpace = 1u << 0,      // space, tab, newline, return, form feed
  kNewline = 1u << 1,    // newline, return
  kNameStart = 1u << 2,  // letters, _, every byte above 127
  kNamePart = 1u << 3,   // those, digits, $
  kDigit = 1u << 4,
  kOpChar = 1u << 5,       // what operators are made of
  kOpKeepsSign = 1u << 6,  // an operator with one of these may end in + or -
  kSelf = 1u << 7,         // a token by itself
};

inline constexpr std::array<uint8_t, 256> kCharClasses = [] {
  std::array<uint8_t, 256> classes{};
  const auto add = [&classes](const char* characters, uint8_t bits) {
    for (; *characters; ++characters) classes[static_cast<uint8_t>(*characters)] |= bits;
  };
  add(" \t\n\r\f", kSpace);
  add("\n\r", kNewline);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", kNameStart | kNamePart);
  for (int c = 128; c < 256; ++c) classes[static_cast<size_t>(c)] = kNameStart | kNamePart;
  add("0123456789", kDigit | kNamePart);
  add("$", kNamePart);
  add("~!@#^&|`?+-*/%<>=", kOpChar);
  add("~!@#^&|`?%", kOpKeepsSign);
  add(",()[].;:+-*/%^<>=", kSelf);
  return classes;
}();

inline bool Is(char c, uint8_t bits) { return kCharClasses[static_cast<uint8_t>(c)] & bits; }

// As the server folds unquoted identifiers: ASCII only, whatever the encoding.
inline constexpr std::array<char, 256> kFolded = [] {
  std::array<char, 256> folded{};
  for (size_t c = 0; c < 256; ++c) {
    folded[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return folded;
}();

inline char Fold(char c) { return kFolded[static_cast<uint8_t>(c)]; }

}  // namespace pgweir::router
