#include "router/sql_scanner.h"

#include <algorithm>
#include <cstring>

#include "router/char_class.h"
#include "router/text_hash.h"

namespace pgweir::router {
namespace {

// Not empty: the grammar's tree doesn't tell an empty string from none.
constexpr std::string_view kStringMarker = "'?'";
constexpr std::string_view kNumberMarker = "1";
constexpr std::string_view kBitsMarker = "b''";
constexpr std::string_view kHexBitsMarker = "x''";

// After these a marker may follow without a space and still be the token that it was.
bool EndsBeforeMarker(char c) { return c == ' ' || c == '(' || c == ',' || c == '=' || c == '['; }

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

void SqlScan::SkipLineComment() {
  while (at_ < sql_.size() && !Is(sql_[at_], kNewline)) ++at_;
}

void SqlScan::SkipBlockComment() {
  const size_t begin = at_ + 2;
  at_ = begin;
  for (int depth = 1; depth > 0;) {
    while (at_ < sql_.size() && sql_[at_] != '*' && sql_[at_] != '/') ++at_;
    if (at_ >= sql_.size()) return Fail("unterminated /* comment");
    const char next = At(at_ + 1);
    if (sql_[at_] == '*' && next == '/') {
      --depth;
      at_ += 2;
    } else if (sql_[at_] == '/' && next == '*') {
      ++depth;
      at_ += 2;
    } else {
      ++at_;
    }
  }
  const Span body{static_cast<uint32_t>(begin), static_cast<uint32_t>(at_ - 2 - begin)};
  const std::string_view text = body.In(sql_);
  const size_t first = text.find_first_not_of(" \t\r\n\f");
  if (first != text.npos && text.substr(first).starts_with("pgweir:")) {
    comments_.push_back({body, SpokenComment::Kind::kSteering});
  } else if (text.find("traceparent=") != text.npos) {
    comments_.push_back({body, SpokenComment::Kind::kTracing});
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
  const char* const text = sql_.data();
  size_t end = at_ + 1;
  while (end < sql_.size() && Is(text[end], kNamePart)) ++end;
  const size_t length = end - at_;
  char* out = Reserve(length + 1);
  if (gap_ && normal_size_ != 0) *out++ = ' ';
  tokens_.push_back({{static_cast<uint32_t>(at_), static_cast<uint32_t>(length)},
                     static_cast<uint32_t>(out - normal_.get()),
                     TokenKind::kWord});
  for (size_t i = 0; i < length; ++i) out[i] = Fold(text[at_ + i]);
  normal_size_ = static_cast<size_t>(out + length - normal_.get());
  gap_ = false;
  at_ = end;
  // N'…' is the keyword NCHAR and a string; as a word n before a string it would be a type's name.
  if (first != 'n' || length != 1 || At(at_) != '\'') return;
  start_ = at_;
  standard_strings_ ? ScanString(0, LiteralKind::kPlain, Quoting::kDoubled, true)
                    : ScanString(0, LiteralKind::kEscape, Quoting::kBackslash, true);
}

void SqlScan::ScanString(size_t prefix, LiteralKind kind, Quoting quoting, bool joined) {
  at_ += prefix + 1;
  do {
    if (!SkipQuoted(quoting)) return Fail("unterminated quoted string");
  } while (SkipContinuation());
  if (kind == LiteralKind::kBits) return AddLiteral(TokenKind::kBits, kind, kBitsMarker);
  if (kind == LiteralKind::kHexBits) return AddLiteral(TokenKind::kHexBits, kind, kHexBitsMarker);
  AddLiteral(TokenKind::kString, kind, kStringMarker, joined);
}

// From behind an opening quote to behind the closing one.
bool SqlScan::SkipQuoted(Quoting quoting) {
  while (at_ < sql_.size()) {
    if (quoting == Quoting::kBackslash) {
      while (at_ < sql_.size() && sql_[at_] != '\'' && sql_[at_] != '\\') ++at_;
      if (At(at_) == '\\') {
        at_ = std::min(at_ + 2, sql_.size());
        continue;
      }
    } else {
      at_ = std::min(sql_.find('\'', at_), sql_.size());
    }
    if (at_ >= sql_.size()) return false;
    ++at_;
    if (quoting == Quoting::kBare || At(at_) != '\'') return true;
    ++at_;
  }
  return false;
}

// A string goes on in another one when white space with a newline, and no /* comment, is between.
bool SqlScan::SkipContinuation() {
  bool newline = false;
  size_t next = at_;
  while (next < sql_.size()) {
    if (Is(sql_[next], kSpace)) {
      newline = newline || Is(sql_[next], kNewline);
      ++next;
    } else if (sql_[next] == '-' && At(next + 1) == '-') {
      while (next < sql_.size() && !Is(sql_[next], kNewline)) ++next;
    } else {
      break;
    }
  }
  if (!newline || At(next) != '\'') return false;
  at_ = next + 1;
  return true;
}

// $1, $$…$$, $tag$…$tag$
void SqlScan::ScanDollar() {
  size_t end = at_ + 1;
  if (Is(At(end), kDigit)) {
    while (Is(At(end), kDigit)) ++end;
    at_ = end;
    if (Is(At(end), kNameStart)) Fail("trailing junk after parameter");
    return AddVerbatim(TokenKind::kParameter);
  }
  if (Is(At(end), kNameStart)) {
    while (Is(At(end), kNamePart) && At(end) != '$') ++end;
  }
  if (At(end) != '$') {
    ++at_;
    Fail("a character that begins nothing");
    return AddVerbatim(TokenKind::kOther);
  }
  const std::string_view tag = sql_.substr(at_, end + 1 - at_);
  const size_t close = sql_.find(tag, end + 1);
  if (close == sql_.npos) {
    at_ = sql_.size();
    return Fail("unterminated dollar-quoted string");
  }
  at_ = close + tag.size();
  AddLiteral(TokenKind::kString, LiteralKind::kDollar, kStringMarker);
}

void SqlScan::ScanQuotedName(size_t prefix) {
  at_ += prefix + 1;
  const size_t inside = at_;
  while (true) {
    at_ = std::min(sql_.find('"', at_), sql_.size());
    if (at_ >= sql_.size()) return Fail("unterminated quoted identifier");
    ++at_;
    if (At(at_) != '"') break;
    ++at_;
  }
  if (at_ - inside == 1) Fail("zero-length delimited identifier");
  AddVerbatim(prefix == 0 ? TokenKind::kQuotedName : TokenKind::kUnicodeName);
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

// joined: the marker belongs to the word before it.
void SqlScan::AddLiteral(TokenKind kind, LiteralKind literal, std::string_view marker,
                         bool joined) {
  if (kind == TokenKind::kString && AddUnicodeEscape(literal)) return;
  const bool space =
      !joined && normal_size_ != 0 && (gap_ || !EndsBeforeMarker(normal_[normal_size_ - 1]));
  gap_ = false;
  char* out = Reserve(marker.size() + 1);
  if (space) *out++ = ' ';
  const Span span{static_cast<uint32_t>(start_), static_cast<uint32_t>(at_ - start_)};
  const auto normal_offset = static_cast<uint32_t>(out - normal_.get());
  tokens_.push_back({span, normal_offset, kind});
  literals_.push_back({span, normal_offset, literal});
  std::memcpy(out, marker.data(), marker.size());
  normal_size_ = normal_offset + marker.size();
}

// UESCAPE '…': of a string, it joins it; of a name, it stays, since it changes the name. False when
// the string that just ended is neither.
bool SqlScan::AddUnicodeEscape(LiteralKind kind) {
  const size_t count = tokens_.size();
  if (kind == LiteralKind::kUnicode || count < 2 || tokens_[count - 1].kind != TokenKind::kWord)
    return false;
  const Token& word = tokens_[count - 1];
  const std::string_view normal = normalised();
  if (normal.substr(word.normal_offset) != "uescape") return false;
  Token& escaped = tokens_[count - 2];
  if (escaped.kind == TokenKind::kUnicodeName) {
    AddVerbatim(TokenKind::kString);
    return true;
  }
  if (escaped.kind != TokenKind::kString || literals_.empty()) return false;
  Literal& literal = literals_.back();
  if (literal.kind != LiteralKind::kUnicode || literal.span != escaped.span) return false;
  literal.span.length = escaped.span.length = static_cast<uint32_t>(at_ - escaped.span.offset);
  normal_size_ = escaped.normal_offset + kStringMarker.size();
  tokens_.pop_back();
  gap_ = false;
  return true;
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
