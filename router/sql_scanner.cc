#include "router/sql_scanner.h"

#include <algorithm>
#include <cstring>

#include "router/char_class.h"
#include "router/text_hash.h"

namespace pgweir::router {
namespace {

constexpr std::string_view kNumberMarker = "1";

}  // namespace

void SqlScan::Scan(std::string_view sql, bool standard_strings) {
  sql_ = sql;
  at_ = start_ = normal_size_ = 0;
  standard_strings_ = standard_strings;
  gap_ = false;
  fault_ = nullptr;
  tokens_.clear();
  literals_.clear();
  comments_.clear();
  if (sql.size() > kMaxText) {
    Fail("text too long");
  } else {
    ScanTokens();
  }
  digest_ = HashText(normalised());
  sql_ = {};
}

void SqlScan::ScanTokens() {
  while (true) {
    SkipSpace();
    if (at_ >= sql_.size()) return;
    if (tokens_.size() == kMaxTokens) return Fail("too many tokens");
    if (normal_size_ > kMaxNormalised) return Fail("text too long without its literals");
    start_ = at_;
    ScanToken();
  }
}

void SqlScan::ScanToken() {
  const char c = sql_[at_];
  if (Is(c, kNameStart)) return ScanWord();
  if (Is(c, kDigit)) return ScanNumber();
  switch (c) {
    case '\'':
      return standard_strings_ ? ScanString(0, LiteralKind::kPlain, Quoting::kDoubled)
                               : ScanString(0, LiteralKind::kEscape, Quoting::kBackslash);
    case '"':
      return ScanQuotedName(0);
    case '$':
      return ScanDollar();
    case ':':
    case '.':
      return ScanColonOrPoint();
    case '(':
    case ')':
    case '[':
    case ']':
    case ',':
    case ';':
      ++at_;
      return AddVerbatim(TokenKind::kPunctuation);
    default:
      break;
  }
  if (Is(c, kOpChar)) return ScanOperator();
  ++at_;
  Fail("a character that begins nothing");
  AddVerbatim(TokenKind::kOther);
}

// White space and comments: one space in the normalised form.
void SqlScan::SkipSpace() {
  while (at_ < sql_.size()) {
    const char c = sql_[at_];
    if (Is(c, kSpace)) {
      ++at_;
    } else if (c == '-' && At(at_ + 1) == '-') {
      SkipLineComment();
    } else if (c == '/' && At(at_ + 1) == '*') {
      SkipBlockComment();
    } else {
      return;
    }
    gap_ = true;
  }
}

void SqlScan::ScanWord() {
  const char first = Fold(sql_[at_]);
  const char second = At(at_ + 1);
  if (second == '\'') {
    if (first == 'e') return ScanString(1, LiteralKind::kEscape, Quoting::kBackslash);
    if (first == 'b') return ScanString(1, LiteralKind::kBits, Quoting::kBare);
    if (first == 'x') return ScanString(1, LiteralKind::kHexBits, Quoting::kBare);
  }
  if (first == 'u' && second == '&') {
    if (At(at_ + 2) == '"') return ScanQuotedName(2);
    if (At(at_ + 2) == '\'') {
      if (!standard_strings_) Fail("U&'…' needs standard_conforming_strings");
      return ScanString(2, LiteralKind::kUnicode, Quoting::kDoubled);
    }
  }
  const char* const word = sql_.data() + at_;
  const char* const end = sql_.data() + sql_.size();
  const char* next = word + 1;
  while (next != end && Is(*next, kNamePart)) ++next;
  const size_t length = static_cast<size_t>(next - word);
  char* out = Reserve(length + 1);
  if (gap_ && normal_size_ != 0) *out++ = ' ';
  tokens_.push_back({{static_cast<uint32_t>(at_), static_cast<uint32_t>(length)},
                     static_cast<uint32_t>(out - normal_.get()),
                     TokenKind::kWord});
  for (const char* from = word; from != next; ++from) *out++ = Fold(*from);
  normal_size_ = static_cast<size_t>(out - normal_.get());
  gap_ = false;
  at_ += length;
  // N'…' is the keyword NCHAR and a string; as a word n before a string it would be a type's name.
  if (first != 'n' || length != 1 || At(at_) != '\'') return;
  start_ = at_;
  standard_strings_ ? ScanString(0, LiteralKind::kPlain, Quoting::kDoubled, true)
                    : ScanString(0, LiteralKind::kEscape, Quoting::kBackslash, true);
}

void SqlScan::ScanNumber() {
  const auto digits = [this] {
    while (Is(At(at_), kDigit)) ++at_;
  };
  TokenKind kind = TokenKind::kInteger;
  digits();
  // 1..2 is 1, then two points.
  if (At(at_) == '.' && (at_ == start_ || At(at_ + 1) != '.')) {
    kind = TokenKind::kDecimal;
    ++at_;
    digits();
  }
  if (Fold(At(at_)) == 'e') {
    const bool sign = At(at_ + 1) == '+' || At(at_ + 1) == '-';
    if (Is(At(at_ + 1 + (sign ? 1 : 0)), kDigit)) {
      kind = TokenKind::kDecimal;
      at_ += sign ? 2 : 1;
      digits();
    }
  }
  if (Is(At(at_), kNameStart)) Fail("trailing junk after numeric literal");
  const bool decimal = kind == TokenKind::kDecimal;
  AddLiteral(kind, decimal ? LiteralKind::kDecimal : LiteralKind::kInteger, kNumberMarker);
  // A marker before a point would take the point in.
  if (At(at_) == '.') gap_ = true;
}

void SqlScan::ScanOperator() {
  size_t end = at_ + 1;
  while (Is(At(end), kOpChar)) {
    const std::string_view pair = sql_.substr(end, 2);
    if (pair == "--" || pair == "/*") break;
    ++end;
  }
  // An operator ends in + or - only with a character that SQL's own operators don't have.
  const std::string_view whole = sql_.substr(at_, end - at_);
  const bool keeps_sign =
      std::any_of(whole.begin(), whole.end(), [](char c) { return Is(c, kOpKeepsSign); });
  while (!keeps_sign && end - at_ > 1 && (sql_[end - 1] == '+' || sql_[end - 1] == '-')) --end;
  at_ = end;
  AddVerbatim(TokenKind::kOperator);
}

// : :: := . .. and the numbers that begin with a point
void SqlScan::ScanColonOrPoint() {
  const char first = sql_[at_];
  const char next = At(at_ + 1);
  if (first == '.' && Is(next, kDigit)) return ScanNumber();
  const bool two = first == '.' ? next == '.' : next == ':' || next == '=';
  at_ += two ? 2 : 1;
  AddVerbatim(two ? TokenKind::kOperator : TokenKind::kPunctuation);
}

void SqlScan::AddVerbatim(TokenKind kind) {
  const size_t length = at_ - start_;
  char* out = Reserve(length + 1);
  if (gap_ && normal_size_ != 0) *out++ = ' ';
  gap_ = false;
  tokens_.push_back({{static_cast<uint32_t>(start_), static_cast<uint32_t>(length)},
                     static_cast<uint32_t>(out - normal_.get()),
                     kind});
  std::memcpy(out, sql_.data() + start_, length);
  normal_size_ = static_cast<size_t>(out + length - normal_.get());
}

// Room for so many bytes behind what is written.
char* SqlScan::Reserve(size_t bytes) {
  if (normal_size_ + bytes > normal_capacity_) [[unlikely]] {
    const size_t capacity = std::max<size_t>({256, 2 * normal_capacity_, normal_size_ + bytes});
    auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
    if (normal_size_ != 0) std::memcpy(bigger.get(), normal_.get(), normal_size_);
    normal_ = std::move(bigger);
    normal_capacity_ = capacity;
  }
  return normal_.get() + normal_size_;
}

void SqlScan::Fail(const char* why) {
  if (fault_ == nullptr) fault_ = why;
}

bool IsAsciiSuperset(std::string_view client_encoding) {
  for (const std::string_view other :
       {"BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC"}) {
    if (client_encoding == other) return false;
  }
  return true;
}

}  // namespace pgweir::router
