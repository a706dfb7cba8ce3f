// Our scanner finds the tokens that PostgreSQL's finds, and a text and its normalised form are the
// same tokens.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "router/sql_scanner.h"
#include "tests/router/pg_query_tokens.h"

namespace {

using pgweir::router::SqlScan;
using pgweir::router::Token;
using pgweir::router::TokenKind;

void Demand(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

bool FoldEqual(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; };
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

void CheckNormalised(const SqlScan& scan, std::string_view sql) {
  const std::string normal(scan.normalised());
  SqlScan again;
  again.Scan(normal);
  Demand(again.complete(), "the normalised form is not complete");
  Demand(again.normalised() == normal, "the normalised form has another one");
  Demand(again.tokens().size() == scan.tokens().size(), "it has other tokens");
  Demand(again.literals().size() == scan.literals().size(), "it has other literals");
  for (size_t i = 0; i < again.tokens().size(); ++i) {
    const Token& theirs = again.tokens()[i];
    const Token& ours = scan.tokens()[i];
    Demand(theirs.span.offset == ours.normal_offset, "a token stands elsewhere");
    const bool number = ours.kind == TokenKind::kInteger || ours.kind == TokenKind::kDecimal;
    Demand(number ? theirs.kind == TokenKind::kInteger : theirs.kind == ours.kind,
           "a token is of another kind");
    if (ours.kind == TokenKind::kString || ours.kind == TokenKind::kBits ||
        ours.kind == TokenKind::kHexBits || number) {
      continue;
    }
    Demand(FoldEqual(ours.span.In(sql), theirs.span.In(normal)), "a token reads otherwise");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), size);
  static SqlScan scan;
  scan.Scan(sql, false);
  scan.Scan(sql);
  if (scan.complete()) CheckNormalised(scan, sql);
  if (sql.find('\0') != std::string::npos) return 0;
  const auto expected = pgweir::router::test::PgQueryTokens(sql);
  if (!expected) return 0;
  if (pgweir::router::test::OurTokens(scan, sql) != *expected) {
    for (const auto& token : pgweir::router::test::OurTokens(scan, sql)) {
      std::fprintf(stderr, "ours   %u+%u %d\n", token.offset, token.length,
                   static_cast<int>(token.kind));
    }
    for (const auto& token : *expected) {
      std::fprintf(stderr, "theirs %u+%u %d\n", token.offset, token.length,
                   static_cast<int>(token.kind));
    }
    Demand(false, "other tokens than PostgreSQL's");
  }
  return 0;
}
