#pragma once

#include <cstdint>
#include <string_view>

// The lexical tokens of PostgreSQL, as spans of the text they were found in.

namespace pgweir::router {

enum class TokenKind : uint8_t {
  kWord,         // unquoted identifier or keyword; also the N of N'…'
  kQuotedName,   // "…"
  kUnicodeName,  // U&"…"; a UESCAPE after it is a word and a string of their own
  kString,       // '…' and every other spelling of a string; U&'…' UESCAPE '…' is one token
  kBits,         // B'…'
  kHexBits,      // X'…'
  kInteger,      // digits only, of any length
  kDecimal,      // with a point or an exponent
  kParameter,    // $1
  kOperator,     // of one or more characters, also => := :: .. and the single + - * / % ^ < > =
  kPunctuation,  // ( ) [ ] , ; : .
  kOther,        // a character that begins no token
};

struct Span {
  uint32_t offset = 0;
  uint32_t length = 0;

  std::string_view In(std::string_view text) const { return text.substr(offset, length); }
  bool operator==(const Span&) const = default;
};

struct Token {
  Span span;                   // in the text
  uint32_t normal_offset = 0;  // in its normalised form
  TokenKind kind = TokenKind::kOther;
};

// How a literal is written, which says how to read its value.
enum class LiteralKind : uint8_t {
  kPlain,    // '…', '' inside is one quote; several of them when adjacent over a newline
  kEscape,   // E'…', or '…' where standard_conforming_strings is off
  kUnicode,  // U&'…', with its UESCAPE '…' if there is one
  kDollar,   // $tag$…$tag$
  kBits,     // B'…'
  kHexBits,  // X'…'
  kInteger,
  kDecimal,
};

struct Literal {
  Span span;
  uint32_t normal_offset = 0;  // of its marker in the normalised form
  LiteralKind kind = LiteralKind::kPlain;
};

}  // namespace pgweir::router
