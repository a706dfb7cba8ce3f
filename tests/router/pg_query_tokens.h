#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "pg_query.h"
#include "pg_query/pg_query.pb-c.h"
#include "router/sql_scanner.h"

// The tokens of a text by PostgreSQL's own scanner, as libpg_query runs it, in SqlScan's terms.

namespace pgweir::router::test {

struct SeenToken {
  uint32_t offset = 0;
  uint32_t length = 0;
  TokenKind kind = TokenKind::kOther;
  bool operator==(const SeenToken&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const SeenToken& token) {
    return out << token.offset << "+" << token.length << ":" << static_cast<int>(token.kind);
  }
};

inline TokenKind KindOf(const PgQuery__ScanToken& token, std::string_view text) {
  switch (token.token) {
    case PG_QUERY__TOKEN__SCONST:
    case PG_QUERY__TOKEN__USCONST:
      return TokenKind::kString;
    case PG_QUERY__TOKEN__BCONST:
      return TokenKind::kBits;
    case PG_QUERY__TOKEN__XCONST:
      return TokenKind::kHexBits;
    case PG_QUERY__TOKEN__PARAM:
      return TokenKind::kParameter;
    case PG_QUERY__TOKEN__UIDENT:
      return TokenKind::kUnicodeName;
    // An integer that doesn't fit is a decimal to the grammar, not to its spelling.
    case PG_QUERY__TOKEN__ICONST:
    case PG_QUERY__TOKEN__FCONST:
      return text.find_first_not_of("0123456789") == text.npos ? TokenKind::kInteger
                                                               : TokenKind::kDecimal;
    case PG_QUERY__TOKEN__IDENT:
      return text[0] == '"' ? TokenKind::kQuotedName : TokenKind::kWord;
    default:
      break;
  }
  if (token.keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD ||
      token.token == PG_QUERY__TOKEN__NCHAR) {
    return TokenKind::kWord;
  }
  if (text.size() == 1 && std::string_view("()[],;:.").find(text[0]) != std::string_view::npos) {
    return TokenKind::kPunctuation;
  }
  if (text.size() == 1 && std::string_view("~!@#^&|`?+-*/%<>=").find(text[0]) == text.npos) {
    return TokenKind::kOther;
  }
  return TokenKind::kOperator;
}

// A string, UESCAPE and its character are one token of SqlScan's.
inline void JoinUnicodeEscape(std::vector<SeenToken>& tokens, std::string_view sql) {
  const size_t count = tokens.size();
  if (count < 3 || tokens[count - 1].kind != TokenKind::kString) return;
  const auto folded = [sql](uint32_t offset, size_t length) {
    std::string text(sql.substr(offset, length));
    for (char& c : text) c = static_cast<char>(c | 32);
    return text;
  };
  constexpr std::string_view unicode = "u&'";
  const SeenToken& word = tokens[count - 2];
  if (folded(tokens[count - 3].offset, 3) != unicode) return;
  if (word.kind != TokenKind::kWord || folded(word.offset, word.length) != "uescape") return;
  if (folded(tokens[count - 1].offset, 3) == unicode) return;
  tokens.resize(count - 2);
}

// libpg_query tells no length of U&'…' and U&"…".
inline bool HasLength(std::string_view sql, uint32_t offset) {
  return offset + 1 >= sql.size() || (sql[offset] | 32) != 'u' || sql[offset + 1] != '&';
}

inline bool IsString(const SeenToken& token) {
  return token.kind == TokenKind::kString || token.kind == TokenKind::kBits ||
         token.kind == TokenKind::kHexBits;
}

// Nothing when PostgreSQL's scanner refuses the text, or when a -- comment stands between two
// strings: the server's scanner may join them, libpg_query's never does. `sql` has no zero byte.
inline std::optional<std::vector<SeenToken>> PgQueryTokens(const std::string& sql) {
  const PgQueryScanResult result = pg_query_scan(sql.c_str());
  std::optional<std::vector<SeenToken>> tokens;
  PgQuery__ScanResult* const scan =
      result.error ? nullptr
                   : pg_query__scan_result__unpack(nullptr, result.pbuf.len,
                                                   reinterpret_cast<uint8_t*>(result.pbuf.data));
  if (scan) tokens.emplace();
  bool comment = false;
  for (size_t i = 0; tokens && i < scan->n_tokens; ++i) {
    const PgQuery__ScanToken& token = *scan->tokens[i];
    if (token.token == PG_QUERY__TOKEN__C_COMMENT) continue;
    if (token.token == PG_QUERY__TOKEN__SQL_COMMENT) {
      comment = true;
      continue;
    }
    const auto offset = static_cast<uint32_t>(token.start);
    const auto length = static_cast<uint32_t>(token.end - token.start);
    const TokenKind kind = KindOf(token, std::string_view(sql).substr(offset, length));
    const bool joins = comment && !tokens->empty() && IsString(tokens->back());
    comment = false;
    if (joins && sql[offset] == '\'') {
      tokens.reset();
      break;
    }
    tokens->push_back(
        {offset, HasLength(sql, offset) || kind == TokenKind::kWord ? length : 0, kind});
    JoinUnicodeEscape(*tokens, sql);
  }
  if (scan) pg_query__scan_result__free_unpacked(scan, nullptr);
  pg_query_free_scan_result(result);
  return tokens;
}

inline std::vector<SeenToken> OurTokens(const SqlScan& scan, std::string_view sql) {
  std::vector<SeenToken> tokens;
  for (const Token& token : scan.tokens()) {
    const bool has_length = HasLength(sql, token.span.offset) || token.kind == TokenKind::kWord;
    tokens.push_back({token.span.offset, has_length ? token.span.length : 0, token.kind});
  }
  return tokens;
}

}  // namespace pgweir::router::test
