#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "router/sql_token.h"

namespace pgweir::router {

// A comment that speaks to pgweir or to tracing. The span is what stands between /* and */.
struct SpokenComment {
  enum class Kind : uint8_t {
    kSteering,  // pgweir: key=value, …
    kTracing,   // sqlcommenter's, with a traceparent='…' in it
  };
  Span body;
  Kind kind = Kind::kSteering;
};

// One pass over the text of a query, with the lexical rules of PostgreSQL 15. An object is used for
// one text after the other and keeps its buffers: once warm it allocates nothing.
//
// The normalised text is itself SQL with the same tokens, but for the values of its literals: every
// string is '?', every number 1, every bit string b'' or x''. Unquoted words are folded, comments
// are gone, white space is single spaces. So what the grammar says about it holds for every text
// that has the same one. Only what changes a name stays: the UESCAPE '…' of a U&"…".
//
// Bytes below 128 are taken for ASCII: the caller asks IsAsciiSuperset first.
class SqlScan {
 public:
  // Beyond these the scan ends early and is not complete().
  static constexpr size_t kMaxText = size_t{64} << 20;
  static constexpr size_t kMaxNormalised = size_t{1} << 20;
  static constexpr size_t kMaxTokens = 50'000;

  // standard_strings: the session's standard_conforming_strings.
  void Scan(std::string_view sql, bool standard_strings = true);

  // The whole text is tokens. If not, fault() says why, and nothing may be concluded from the rest.
  bool complete() const { return fault_ == nullptr; }
  const char* fault() const { return fault_; }

  // All of it valid until the next Scan(). Spans are of the text that was scanned.
  std::string_view normalised() const { return {normal_.get(), normal_size_}; }
  uint64_t digest() const { return digest_; }
  std::span<const Token> tokens() const { return tokens_; }
  std::span<const Literal> literals() const { return literals_; }
  std::span<const SpokenComment> comments() const { return comments_; }

 private:
  // How the text of a string goes on after its opening quote.
  enum class Quoting : uint8_t { kDoubled, kBackslash, kBare };

  void ScanTokens();
  void ScanToken();
  void SkipSpace();
  void SkipLineComment();
  void SkipBlockComment();
  void ScanWord();
  void ScanString(size_t prefix, LiteralKind kind, Quoting quoting, bool joined = false);
  bool SkipQuoted(Quoting quoting);
  bool SkipContinuation();
  void ScanDollar();
  void ScanQuotedName(size_t prefix);
  void ScanNumber();
  void ScanOperator();
  void ScanColonOrPoint();

  // Each ends a token that began at `start_`.
  void AddVerbatim(TokenKind kind);
  void AddLiteral(TokenKind kind, LiteralKind literal, std::string_view marker,
                  bool joined = false);
  bool AddUnicodeEscape(LiteralKind kind);

  char* Reserve(size_t bytes);
  char At(size_t position) const { return position < sql_.size() ? sql_[position] : '\0'; }
  void Fail(const char* why);

  std::string_view sql_;  // empty outside Scan()
  size_t at_ = 0;
  size_t start_ = 0;
  bool standard_strings_ = true;
  bool gap_ = false;  // a space is due before the next token
  const char* fault_ = nullptr;

  std::unique_ptr<char[]> normal_;
  size_t normal_size_ = 0;
  size_t normal_capacity_ = 0;
  uint64_t digest_ = 0;
  std::vector<Token> tokens_;
  std::vector<Literal> literals_;
  std::vector<SpokenComment> comments_;
};

// Whether in this client_encoding, as the server reports it, a byte below 128 is always the ASCII
// character. Where it may be the second half of another one, a text can't be scanned.
bool IsAsciiSuperset(std::string_view client_encoding);

}  // namespace pgweir::router
