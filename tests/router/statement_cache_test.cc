#include "router/statement_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/literal_value.h"
#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

TEST(StatementCache, FindsAStatementByItsFormWithOtherLiterals) {
  StatementCache cache;
  const FactsRef first = cache.Find("SELECT * FROM t WHERE a = 1 AND b = 'x'");
  const std::string other = "select *\nfrom T where A = 22 and B = 'it''s' /*traceparent='1'*/";
  EXPECT_EQ(cache.Find(other), first);
  EXPECT_EQ(cache.counters().misses, 1u);
  EXPECT_EQ(cache.counters().hits, 1u);
  const Condition& condition = first->statements[0].conditions.at(1);
  const Literal literal =
      cache.scan().literals()[static_cast<size_t>(condition.operands[0].literal)];
  EXPECT_EQ(literal.span.In(other), "'it''s'");
}

TEST(StatementCache, TheSameTextIsNotScannedAgain) {
  StatementCache cache;
  const std::string sql = "SELECT 1, 'a'";
  const FactsRef first = cache.Find(sql);
  EXPECT_EQ(cache.Find(std::string(sql)), first);
  EXPECT_EQ(cache.counters().repeats, 1u);
  EXPECT_EQ(cache.counters().hits, 0u);
  EXPECT_EQ(cache.scan().literals()[1].span.In(sql), "'a'");
  // Under other rules it is another text.
  cache.Find(sql, false);
  EXPECT_EQ(cache.counters().repeats, 1u);
  EXPECT_EQ(cache.scan().literals()[1].kind, LiteralKind::kEscape);
}

TEST(StatementCache, WhereABackslashEscapesChangesTheStatement) {
  StatementCache cache;
  const std::string sql = "SELECT '\\'; SET a = 1; --'";
  EXPECT_EQ(cache.Find(sql, true)->effects, kSetsSetting);
  EXPECT_EQ(cache.Find(sql, false)->effects, kNoEffect);
  EXPECT_EQ(cache.Find(sql, true)->effects, kSetsSetting);
}

TEST(StatementCache, WhatIsNotUnderstoodIsRememberedAndWhatIsNotWholeIsNot) {
  StatementCache cache;
  const FactsRef first = cache.Find("SELEC 1");
  EXPECT_NE(first->not_understood, "");
  EXPECT_EQ(cache.Find("SELEC 2"), first);
  EXPECT_EQ(cache.entries(), 1u);
  EXPECT_NE(cache.Find("SELECT 'a")->not_understood, "");
  EXPECT_EQ(cache.entries(), 1u);
}

TEST(StatementCache, LongTextsAreFoundByTheirForm) {
  StatementCache cache;
  const std::string sql = "SELECT '" + std::string(100'000, 'x') + "'";
  const FactsRef first = cache.Find(sql);
  EXPECT_EQ(cache.Find(sql), first);
  EXPECT_EQ(cache.counters().hits, 1u);
  EXPECT_LT(cache.bytes(), 2000u);
}

TEST(StatementCache, AFloodStaysInItsBytesAndKeepsWhatIsHot) {
  constexpr size_t kBytes = size_t{256} << 10;
  StatementCache cache(kBytes);
  const std::string hot = "SELECT * FROM hot WHERE a = ";
  cache.Find(hot + "1");
  cache.Find(hot + "2");
  const FactsRef kept = cache.Find(hot + "3");
  size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    cache.Find("SELECT 1 AS a" + std::to_string(i));
    most = std::max(most, cache.bytes());
  }
  EXPECT_LE(most, kBytes);
  EXPECT_GT(most, kBytes / 2);
  EXPECT_GT(cache.counters().evictions, 90'000u);
  EXPECT_EQ(cache.Find(hot + "4"), kept);
}

TEST(StatementCache, WhatIsNoLongerHotMakesRoom) {
  constexpr size_t kBytes = size_t{64} << 10;
  StatementCache cache(kBytes);
  // Twice as many as fit, each asked for until it is kept.
  for (int i = 0; i < 400; ++i) {
    for (int n = 0; n < 3; ++n)
      cache.Find("SELECT " + std::to_string(n) + " AS a" + std::to_string(i));
    EXPECT_LE(cache.bytes(), kBytes);
  }
  const uint64_t misses = cache.counters().misses;
  cache.Find("SELECT 7 AS a399");
  EXPECT_EQ(cache.counters().misses, misses);
  cache.Find("SELECT 7 AS a0");
  EXPECT_EQ(cache.counters().misses, misses + 1);
}

TEST(StatementCache, AnEntryTooLargeForItsShareIsNotKept) {
  StatementCache cache(size_t{64} << 10);
  std::string sql = "SELECT a";
  for (int i = 0; i < 2000; ++i) sql += ", column" + std::to_string(i);
  cache.Find(sql);
  EXPECT_EQ(cache.entries(), 0u);
}

TEST(StatementCache, FactsOutliveTheirEntryAndTheCache) {
  FactsRef facts;
  {
    StatementCache cache(size_t{16} << 10);
    facts = cache.Find("SELECT * FROM kept");
    for (int i = 0; i < 1000; ++i) cache.Find("SELECT 1 AS a" + std::to_string(i));
  }
  EXPECT_EQ(facts->statements[0].relations[0].name.name, "kept");
}

// Of each pair the first is seen first; whatever the cache answers for the second must be what its
// own analysis says.
TEST(StatementCache, NoTextGetsTheFactsOfAnother) {
  const std::vector<std::string> texts = {
      "SELECT set_config('a', 'b', true)",
      "SELECT set_config('a', 'b', false)",
      "SELECT set_config('a', 'b', 'true')",
      "SELECT set_config('a' 'b', 'b', true)",
      "SELECT set_config('a'\n'b', 'b', true)",
      "SET a = 1",
      "SET \"A\" = 1",
      "SET a.b = '1'",
      "SET LOCAL a = 1",
      "SET a TO DEFAULT",
      "SET a TO 'default'",
      "SELECT n'x'",
      "SELECT n 'x'",
      "SELECT U&\"a!0062\" UESCAPE '!' FROM t",
      "SELECT U&\"a!0062\" UESCAPE '?' FROM t",
      "SELECT U&'a!0062' UESCAPE '!' FROM t",
      "SELECT 1 FROM a.b",
      "SELECT 1 FROM a .b",
      "SELECT 1 FROM a.5",
      "SELECT 1 FROM a0",
      "SELECT $1.5",
      "SELECT $10",
      "COPY t FROM STDIN",
      "COPY t FROM ''",
      "COPY t FROM 'x'",
      "DEALLOCATE all",
      "DEALLOCATE \"all\"",
      "FETCH 1 FROM c",
      "FETCH -1 FROM c",
      "EXPLAIN (ANALYZE true) DELETE FROM t",
      "EXPLAIN (ANALYZE false) DELETE FROM t",
      "SELECT float(10) '1'",
      "SELECT 1::float(60)",
      "SELECT 1::float(10)",
      "SELECT 'a'; SELECT 'b'",
      "SELECT 'a;' SELECT 'b'",
      "SELECT 1 -- ; SET a = 1",
      "SELECT 1 - - 1; SET a = 1",
      "SELECT 1 /* ; */ ; SET a = 1",
      "SELECT $$; SET a = 1; $$",
      "SELECT E'\\'; SET a = 1; --'",
      "SELECT '\\'; SET a = 1; --'",
      "SELECT * FROM \"t\"\"u\"",
      "SELECT * FROM \"t\" \"u\"",
      "PREPARE a AS SELECT 1",
      "PREPARE b AS SELECT 1",
  };
  for (const std::string& first : texts) {
    StatementCache cache;
    cache.Find(first);
    for (const std::string& second : texts) {
      const FactsRef found = cache.Find(second);
      const Facts own = test::FactsOf(second);
      SCOPED_TRACE(first + " | " + second);
      EXPECT_EQ(found->effects, own.effects);
      EXPECT_EQ(found->not_understood, own.not_understood);
      ASSERT_EQ(found->statements.size(), own.statements.size());
      for (size_t i = 0; i < own.statements.size(); ++i) {
        EXPECT_EQ(found->statements[i].kind, own.statements[i].kind);
        EXPECT_EQ(found->statements[i].functions, own.statements[i].functions);
        EXPECT_EQ(found->statements[i].calls, own.statements[i].calls);
        EXPECT_EQ(found->statements[i].prepared_name, own.statements[i].prepared_name);
        EXPECT_EQ(found->statements[i].first_token, own.statements[i].first_token);
        EXPECT_EQ(found->statements[i].tokens, own.statements[i].tokens);
      }
      EXPECT_EQ(test::Relations(*found), test::Relations(own));
      SqlScan scan;
      scan.Scan(second);
      ASSERT_EQ(found->settings.size(), own.settings.size());
      for (size_t i = 0; i < own.settings.size(); ++i) {
        EXPECT_EQ(SettingName(found->settings[i], second, cache.scan()),
                  SettingName(own.settings[i], second, scan));
        EXPECT_EQ(found->settings[i].local, own.settings[i].local);
        EXPECT_EQ(found->settings[i].reset, own.settings[i].reset);
      }
    }
  }
}

}  // namespace
}  // namespace pgweir::router
