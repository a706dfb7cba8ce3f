// Strings, quoted names and comments: what SqlScan reads from one quote to the next.

#include <algorithm>
#include <cstring>

#include "router/char_class.h"
#include "router/sql_scanner.h"

namespace pgweir::router {
namespace {

// Not empty: the grammar's tree doesn't tell an empty string from none.
constexpr std::string_view kStringMarker = "'?'";
constexpr std::string_view kBitsMarker = "b''";
constexpr std::string_view kHexBitsMarker = "x''";

// After these a marker may follow without a space and still be the token that it was.
bool EndsBeforeMarker(char c) { return c == ' ' || c == '(' || c == ',' || c == '=' || c == '['; }

}  // namespace

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
  if (count < 2 || tokens_[count - 1].kind != TokenKind::kWord) return false;
  const Token& word = tokens_[count - 1];
  const std::string_view normal = normalised();
  if (normal.substr(word.normal_offset) != "uescape") return false;
  Token& escaped = tokens_[count - 2];
  if (escaped.kind == TokenKind::kUnicodeName) {
    AddVerbatim(TokenKind::kString);
    return true;
  }
  // The grammar takes no U&'…' there.
  const bool joins = escaped.kind == TokenKind::kString && kind != LiteralKind::kUnicode;
  if (!joins || literals_.empty()) return false;
  Literal& literal = literals_.back();
  if (literal.kind != LiteralKind::kUnicode || literal.span != escaped.span) return false;
  literal.span.length = escaped.span.length = static_cast<uint32_t>(at_ - escaped.span.offset);
  normal_size_ = escaped.normal_offset + kStringMarker.size();
  tokens_.pop_back();
  gap_ = false;
  return true;
}

}  // namespace pgweir::router
