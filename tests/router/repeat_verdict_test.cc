#include "router/repeat_verdict.h"

#include <gtest/gtest.h>

#include "router/sql_scanner.h"
#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

std::vector<CatalogRow>& Of(CatalogRows& rows, CatalogQuery query) {
  return rows[static_cast<size_t>(query)];
}

CatalogRef Sample() {
  CatalogRows rows;
  Of(rows, CatalogQuery::kRelations) = {
      {"1", "public", "t", "r", ""},
      {"2", "public", "plain", "v", " SELECT t.a FROM t;"},
      {"3", "public", "timely", "v", " SELECT now() AS at, t.a FROM t;"},
      {"4", "public", "over_timely", "v", " SELECT timely.a FROM timely;"},
  };
  Of(rows, CatalogQuery::kUses) = {
      {"2", "r", "r", "1"}, {"3", "r", "r", "1"}, {"4", "r", "r", "3"}};
  Of(rows, CatalogQuery::kFunctions) = {{"101", "app", "calm", "s", ""},
                                        {"102", "app", "pure", "i", ""}};
  Of(rows, CatalogQuery::kBuiltIns) = {
      {"lower", "i"}, {"now", "s"}, {"inet_client_addr", "s"}, {"count", "i"}};
  return Catalog::FromRows(rows).value();
}

TEST(RepeatVerdict, SaysWhetherTheSameRowsComeAgain) {
  const CatalogRef catalog = Sample();
  using enum RepeatVerdict;
  const std::pair<std::string_view, RepeatVerdict> cases[] = {
      {"SELECT a, lower(b), count(*) FROM t", kSame},
      {"SELECT app.pure(a) FROM t", kSame},
      {"SELECT current_user, session_user FROM t", kSame},
      {"SELECT * FROM plain", kSame},
      {"SELECT now()", kVaries},
      {"SELECT app.calm()", kVaries},
      {"SELECT unknown()", kVaries},
      {"SELECT current_date", kVaries},
      {"SELECT * FROM t WHERE a > (SELECT current_timestamp)", kVaries},
      {"SELECT localtime", kVaries},
      {"SELECT * FROM timely", kVaries},
      {"SELECT * FROM over_timely", kVaries},
      {"SELECT inet_client_addr()", kAsksConnection},
      {"SELECT * FROM t TABLESAMPLE system (10)", kSamples},
  };
  for (const auto& [sql, expected] : cases) {
    const Facts facts = test::FactsOf(sql);
    EXPECT_EQ(JudgeRepeat(facts.statements.at(0), *catalog), expected) << sql;
  }
}

TEST(RepeatVerdict, ValuesThatMayMeanNow) {
  for (const char* value :
       {"now", "NOW", " today ", "tomorrow 10:00", "Yesterday", "'now'",
        "now                                                              \t"}) {
    EXPECT_TRUE(MayMeanNow(value)) << value;
  }
  for (const char* value :
       {"", "nowhere", "know", "no w", "2026-01-01", "BTCUSDT",
        "it is now that we write a sentence that is longer than any date or time could ever be"}) {
    EXPECT_FALSE(MayMeanNow(value)) << value;
  }
}

TEST(RepeatVerdict, LiteralsThatMayMeanNowHoweverTheyAreWritten) {
  const auto any = [](std::string_view sql) {
    SqlScan scan;
    scan.Scan(sql);
    for (const Literal& literal : scan.literals()) {
      if (MayMeanNow(literal, sql)) return true;
    }
    return false;
  };
  for (const char* sql : {"select 'now'", "select $$now$$", "select E'n\\x6fw'", "select E'now'",
                          "select U&'n\\006fw'", "select U&'n!006fw' UESCAPE '!'",
                          "select 'no'\n'w'", "select E'no'\r\n'w'"}) {
    EXPECT_TRUE(any(sql)) << sql;
  }
  for (const char* sql : {"select 'a\\b', 12, 1.5, B'01', X'0f'", "select E'a'", "select 'it''s'",
                          "select 'two\nlines'"}) {
    EXPECT_FALSE(any(sql)) << sql;
  }
}

}  // namespace
}  // namespace pgweir::router
