#include "router/sql_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/analysis.h"
#include "router/depth.h"
#include "tests/router/pg_query_tokens.h"

namespace pgweir::router {
namespace {

std::string Normalised(std::string_view sql, bool standard_strings = true) {
  SqlScan scan;
  scan.Scan(sql, standard_strings);
  EXPECT_TRUE(scan.complete()) << sql << ": " << scan.fault();
  return std::string(scan.normalised());
}

std::string Fault(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  return scan.complete() ? "" : scan.fault();
}

struct Form {
  std::string_view sql;
  std::string_view normalised;
};

TEST(SqlScan, EveryLexicalFormHasItsNormalForm) {
  for (const Form& form : std::vector<Form>{
           {"SELECT 'a'", "select '?'"},
           {"SELECT 'it''s'", "select '?'"},
           {"SELECT ''", "select '?'"},
           {"SELECT 'back\\'", "select '?'"},
           {"SELECT E'it\\'s' , e'\\\\'", "select '?' , '?'"},
           {"SELECT E'a''b'", "select '?'"},
           {"SELECT U&'\\0041' x", "select '?' x"},
           {"SELECT u&'a' UESCAPE '!' x", "select '?' x"},
           {"SELECT U&'a' /* c */ uescape\n'!' || 'b'", "select '?' || '?'"},
           {"SELECT U&\"d!0061\" UESCAPE '!'", "select U&\"d!0061\" uescape '!'"},
           {"SELECT U&\"a\" UESCAPE U&'b'", "select U&\"a\" uescape U&'b'"},
           {"SELECT uescape 'x'", "select uescape '?'"},
           {"SELECT B'101', x'1F'", "select b'', x''"},
           {"SELECT b'1''0'", "select b'' '?'"},
           {"SELECT N'x', n 'x'", "select n'?', n '?'"},
           {"SELECT 'a'\n'b'", "select '?'"},
           {"SELECT 'a' -- c\n 'b'", "select '?'"},
           {"SELECT 'a'\n-- c\n\t'b'", "select '?'"},
           {"SELECT 'a' 'b'", "select '?' '?'"},
           {"SELECT 'a' /* c */\n'b'", "select '?' '?'"},
           {"SELECT E'a\\''\n'\\'b'", "select '?'"},
           {"SELECT $$a'b$$, $t$ $$ $x$ $t$", "select '?', '?'"},
           {"SELECT $a$b$a$a$", "select '?'a$"},
           {"SELECT a$$b$$", "select a$$b$$"},
           {"SELECT $_1é$x$_1é$", "select '?'"},
           {"SELECT \"A\"\"b\" , \"c d\"", "select \"A\"\"b\" , \"c d\""},
           {"SELECT Äx, ÉCOLE", "select Äx, École"},
           {"SELECT 1, 12.5, .5, 5., 1e10, 1.5E-3, .5e+7", "select 1, 1, 1, 1, 1, 1, 1"},
           {"SELECT 1..2", "select 1 .. 1"},
           {"SELECT 1.5.5", "select 1 1"},
           {"SELECT a.5", "select a 1"},
           {"SELECT $1.5", "select $1 1"},
           {"SELECT $12 , $1$2", "select $12 , $1$2"},
           {"SELECT -1, - 1, +1", "select - 1, - 1, + 1"},
           {"SELECT a*-1", "select a*- 1"},
           {"SELECT a@-1", "select a@- 1"},
           {"SELECT a+-/*c*/1", "select a+- 1"},
           {"SELECT a<--c\n1", "select a< 1"},
           {"SELECT a::int, b := 1, c => 2", "select a::int, b := 1, c => 1"},
           {"SELECT a->>'b'#>'{c}'", "select a->> '?'#> '?'"},
           {"SELECT /* a /* b */ c */ 1", "select 1"},
           {"SELECT/**/1", "select 1"},
           {"-- a\nSELECT 1 -- b", "select 1"},
           {"  SELECT\t\r\n\f 1  ", "select 1"},
           {"SELECT 1;;SELECT 2 ;", "select 1;;select 1 ;"},
           {"SELECT a[1:2], (x).y", "select a[1: 1], (x).y"},
           {"SELECT 'a'::text", "select '?'::text"},
           {"SELECT u&'x'", "select '?'"},
           {"SELECT u &'x'", "select u & '?'"},
           {"SELECT U&x", "select u&x"},
           {"SELECT 1\"a\"", "select 1\"a\""},
           {"SELECT a!=b, a<>b, a<=b", "select a!=b, a<>b, a<=b"},
           {"SELECT *FROM t", "select *from t"},
           {"", ""},
           {"/* only */ -- that", ""}}) {
    EXPECT_EQ(Normalised(form.sql), form.normalised) << form.sql;
  }
}

TEST(SqlScan, BackslashesEscapeWhereStringsAreNotStandard) {
  EXPECT_EQ(Normalised("SELECT 'it\\'s', 1", false), "select '?', 1");
  EXPECT_EQ(Normalised("SELECT 'it\\'||'s'"), "select '?'|| '?'");
  EXPECT_EQ(Normalised("SELECT N'\\'' x", false), "select n'?' x");
  SqlScan scan;
  scan.Scan("SELECT 'a'", false);
  EXPECT_EQ(scan.literals()[0].kind, LiteralKind::kEscape);
  scan.Scan("SELECT U&'a'", false);
  EXPECT_FALSE(scan.complete());
}

TEST(SqlScan, WhatIsNotWholeIsNotComplete) {
  for (const char* sql :
       {"SELECT 'a",     "SELECT E'a\\'", "SELECT E'\\", "SELECT \"a",  "SELECT $$a",
        "SELECT $t$ $$", "/* a /* b */",  "SELECT B'1",  "SELECT U&'a", "SELECT U&\"a",
        "SELECT \"\"",   "SELECT 1a",     "SELECT 1e",   "SELECT 1e+",  "SELECT 1.e",
        "SELECT $1a",    "SELECT $a",     "SELECT $",    "SELECT \\",   "SELECT {1}",
        "SELECT 'a'\n'b"}) {
    EXPECT_NE(Fault(sql), "") << sql;
  }
  EXPECT_NE(Fault(std::string_view("SELECT \0", 8)), "");
}

TEST(SqlScan, TextsThatDifferInMoreThanLiteralsStayApart) {
  const std::pair<std::string_view, std::string_view> pairs[] = {
      {"SELECT a.5", "SELECT a0"},
      {"SELECT $1.5", "SELECT $10"},
      {"SELECT n'x'", "SELECT n 'x'"},
      {"SELECT \"a\"", "SELECT a"},
      {"SELECT \"A\"", "SELECT \"a\""},
      {"SELECT U&\"a!0062\" UESCAPE '!'", "SELECT U&\"a!0062\" UESCAPE '?'"},
      {"SELECT '1'", "SELECT 1"},
      {"SELECT b'1'", "SELECT x'1'"},
      {"SELECT b'1'", "SELECT '1'"},
      {"SELECT 'a' 'b'", "SELECT 'a'\n'b'"},
      {"SELECT - -1", "SELECT --1\n"},
      {"SELECT a+-b", "SELECT a@-b"},
      {"SELECT true", "SELECT 'true'"},
      {"SELECT 1 1", "SELECT 11"},
      {"SELECT u & 'x'", "SELECT U&'x'"},
      {"SELECT a <- b", "SELECT a < - b"},
      {"SELECT $1", "SELECT $2"},
  };
  for (const auto& [a, b] : pairs) EXPECT_NE(Normalised(a), Normalised(b)) << a << " | " << b;
}

TEST(SqlScan, LiteralsAreSpansOfTheText) {
  const std::string sql = "SELECT 'a'\n'b', E'c' , $q$d$q$, 12, 1.5, X'0F', U&'e' UESCAPE '!'";
  SqlScan scan;
  scan.Scan(sql);
  const std::vector<std::pair<std::string_view, LiteralKind>> expected = {
      {"'a'\n'b'", LiteralKind::kPlain},
      {"E'c'", LiteralKind::kEscape},
      {"$q$d$q$", LiteralKind::kDollar},
      {"12", LiteralKind::kInteger},
      {"1.5", LiteralKind::kDecimal},
      {"X'0F'", LiteralKind::kHexBits},
      {"U&'e' UESCAPE '!'", LiteralKind::kUnicode},
  };
  ASSERT_EQ(scan.literals().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(scan.literals()[i].span.In(sql), expected[i].first);
    EXPECT_EQ(scan.literals()[i].kind, expected[i].second) << expected[i].first;
  }
}

TEST(SqlScan, CommentsThatSpeakAreFound) {
  const std::string sql =
      "/* pgweir: shard=a */ SELECT 1 /*controller='x',traceparent='00-1-2-01'*/ -- pgweir: no\n"
      "/* pgweird */ , '/* pgweir: not */' /*+ hint */";
  SqlScan scan;
  scan.Scan(sql);
  ASSERT_EQ(scan.comments().size(), 2u);
  EXPECT_EQ(scan.comments()[0].kind, SpokenComment::Kind::kSteering);
  EXPECT_EQ(scan.comments()[0].body.In(sql), " pgweir: shard=a ");
  EXPECT_EQ(scan.comments()[1].kind, SpokenComment::Kind::kTracing);
  EXPECT_EQ(scan.comments()[1].body.In(sql), "controller='x',traceparent='00-1-2-01'");
  EXPECT_EQ(scan.normalised(), "select 1 , '?'");
}

TEST(SqlScan, DigestIsOfTheNormalisedText) {
  SqlScan a, b;
  a.Scan("SELECT * FROM t WHERE x = 1 /*traceparent='1'*/");
  b.Scan("select *  from T where X = 99.5 --");
  EXPECT_EQ(a.digest(), b.digest());
  b.Scan("SELECT * FROM t WHERE x = '1'");
  EXPECT_NE(a.digest(), b.digest());
  // Digests stand in configuration files: a change here breaks them.
  EXPECT_EQ(a.digest(), 17453821791169159479u);
}

TEST(SqlScan, TokensBeyondTheBoundEndTheScan) {
  std::string sql = "SELECT 1";
  for (size_t i = 0; i < SqlScan::kMaxTokens; ++i) sql += ",1";
  EXPECT_NE(Fault(sql), "");
  SqlScan scan;
  scan.Scan(sql);
  EXPECT_EQ(scan.tokens().size(), SqlScan::kMaxTokens);
}

TEST(SqlScan, NormalisedBeyondTheBoundEndsTheScan) {
  const std::string name(SqlScan::kMaxNormalised, 'x');
  EXPECT_NE(Fault("SELECT " + name + " , 1"), "");
  EXPECT_EQ(Fault("SELECT '" + name + "' , 1"), "");
}

TEST(SqlScan, EncodingsWhoseCharactersEndInAsciiAreKnown) {
  EXPECT_TRUE(IsAsciiSuperset("UTF8"));
  EXPECT_TRUE(IsAsciiSuperset("LATIN1"));
  EXPECT_TRUE(IsAsciiSuperset("EUC_JP"));
  EXPECT_FALSE(IsAsciiSuperset("SJIS"));
  EXPECT_FALSE(IsAsciiSuperset("GB18030"));
}

// What the fuzz target checks on whatever it reaches.
TEST(SqlScan, AgreesWithPostgresOnItsCorpus) {
  for (const std::string sql :
       {"SELECT 'a''b'\n'c' 'd' E'\\'' U&'x' UESCAPE '!' b'1''0' x'ff' N'x' n 'x' $$a$$ $t$b$t$",
        "SELECT 1 1.5 .5 5. 1e5 1..2 1.5.5 99999999999 $1 $12$3 a.5 a$1 $1.5",
        "SELECT a+b a+-b a@-b a*-b <= >= <> != => := :: .. < > = % ^ ~ ! @ # & | ` ? - /",
        "SELECT a <-> b <#> c ->> d #>> e @> f && g || h ?| i ?& j !~~* k |/ l ||/ m -|- n",
        "SELECT /* a /* b */ c */ x --d\n y --\n z a--b\n+/*c*/- @-/* d */- +--e\n",
        "SELECT \"a\"\"b\" U&\"c\" UESCAPE '!' u&d u & e uescape 'x' Äé _a a$b select",
        "SELECT a[1:2], (x).y; ; 'x'::text\t\r\f\n'a'\n\r'b'",
        "SELECT U&'a' UESCAPE U&'b' U&'c' UESCAPE 'd' 'e'", "SELECT U&'a' UESCAPE E'!' x"}) {
    const auto expected = test::PgQueryTokens(sql);
    ASSERT_TRUE(expected) << sql;
    SqlScan scan;
    scan.Scan(sql);
    EXPECT_TRUE(scan.complete()) << scan.fault();
    EXPECT_EQ(test::OurTokens(scan, sql), *expected) << sql;
    SqlScan again;
    again.Scan(scan.normalised());
    EXPECT_EQ(again.normalised(), scan.normalised());
    EXPECT_EQ(again.tokens().size(), scan.tokens().size());
  }
}

}  // namespace
}  // namespace pgweir::router
