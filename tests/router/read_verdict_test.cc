#include "router/read_verdict.h"

#include <gtest/gtest.h>

#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

std::vector<CatalogRow>& Of(CatalogRows& rows, CatalogQuery query) {
  return rows[static_cast<size_t>(query)];
}

CatalogRows Sample() {
  CatalogRows rows;
  Of(rows, CatalogQuery::kRelations) = {
      {"1", "public", "t", "r", ""},
      {"2", "public", "plain", "v", " SELECT t.a\n   FROM t;"},
      {"3", "public", "drawing", "v", " SELECT nextval('s'::regclass) AS n;"},
      {"4", "public", "over_drawing", "v", " SELECT drawing.n\n   FROM drawing;"},
      {"5", "public", "s", "S", ""},
      {"6", "public", "far", "f", ""},
      {"7", "public", "stored", "m", " SELECT random();"},
      {"8", "public", "guarded", "r", ""},
      {"9", "public", "parent", "p", ""},
      {"10", "public", "grandparent", "p", ""},
      {"11", "public", "activity", "v", " SELECT pg_stat_activity.pid\n   FROM pg_stat_activity;"},
      {"12", "public", "late", "v", " SELECT early.a FROM early;"},
      {"13", "public", "early", "v", " SELECT far.a FROM far;"},
  };
  Of(rows, CatalogQuery::kInheritance) = {{"6", "9"}, {"9", "10"}};
  Of(rows, CatalogQuery::kFunctions) = {{"101", "app", "bump", "v", ""},
                                        {"102", "app", "calm", "s", ""},
                                        {"103", "other", "calm", "v", ""}};
  Of(rows, CatalogQuery::kBuiltIns) = {{"lower", "i"},          {"now", "s"},
                                       {"random", "v"},         {"nextval", "v"},
                                       {"txid_current", "s"},   {"pg_is_in_recovery", "v"},
                                       {"pg_get_viewdef", "s"}, {"pg_typeof", "s"},
                                       {"count", "i"},          {"generate_series", "i"}};
  Of(rows, CatalogQuery::kUses) = {{"8", "r", "f", "101"}};
  return rows;
}

ReadVerdict Judge(const Catalog& catalog, std::string_view sql) {
  const Facts facts = test::FactsOf(sql);
  EXPECT_EQ(facts.not_understood, "") << sql;
  return JudgeRead(facts.statements.at(0), catalog);
}

// Traps 9, 10 and 11 of routers: a replica gets what is known to be a read, nothing else.
TEST(ReadVerdict, IsAReadOnlyWhereNothingElseCanHappen) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  using enum ReadVerdict;
  const std::pair<std::string_view, ReadVerdict> cases[] = {
      {"", kRead},
      {"SELECT 1", kRead},
      {"VALUES (1), (2)", kRead},
      {"TABLE t", kRead},
      {"SELECT count(*), now(), pg_typeof(1) FROM t, generate_series(1, 3)", kRead},
      {"WITH x AS (SELECT * FROM t) SELECT * FROM x JOIN plain USING (a)", kRead},
      {"SELECT app.calm()", kRead},
      {"SELECT calm()", kCallsVolatile},
      {"SELECT * FROM stored", kRead},
      {"SELECT * FROM t WHERE a = (SELECT max(a) FROM t)", kUnknownName},  // max isn't here
      {"SELECT random()", kCallsVolatile},
      {"SELECT lower(x) FROM (SELECT nextval('s')::text AS x) y", kNoQuery},
      {"SELECT app.bump() FROM t", kCallsVolatile},
      {"SELECT txid_current()", kCallsVolatile},
      {"SELECT * FROM t FOR UPDATE", kNoQuery},
      {"SELECT * FROM t FOR NO KEY UPDATE", kNoQuery},
      {"SELECT * FROM (SELECT * FROM t FOR KEY SHARE) x", kNoQuery},
      {"SELECT * INTO u FROM t", kNoQuery},
      {"WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x", kNoQuery},
      {"WITH x AS (SELECT 1), y AS (DELETE FROM t RETURNING a) SELECT * FROM x, y", kNoQuery},
      {"SELECT set_config('a.b', '1', true)", kNoQuery},
      {"INSERT INTO t VALUES (1)", kNoQuery},
      {"EXPLAIN ANALYZE SELECT 1", kNoQuery},
      {"COPY t TO STDOUT", kNoQuery},
      {"BEGIN", kNoQuery},
      {"SELECT * FROM drawing", kReadsVolatile},
      {"SELECT * FROM over_drawing", kReadsVolatile},
      {"SELECT * FROM activity", kReadsVolatile},
      {"SELECT * FROM guarded", kReadsVolatile},
      {"SELECT * FROM parent", kReadsVolatile},
      {"SELECT * FROM grandparent", kReadsVolatile},
      {"SELECT * FROM late", kReadsVolatile},
      {"SELECT last_value FROM s", kReadsNoTable},
      {"SELECT * FROM far", kReadsNoTable},
      {"SELECT * FROM pg_stat_activity", kAsksServer},
      {"SELECT * FROM information_schema.columns", kAsksServer},
      {"SELECT pg_get_viewdef('plain')", kAsksServer},
      {"SELECT * FROM unknown", kUnknownName},
      {"SELECT unknown(1)", kUnknownName},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Describe(Judge(*catalog, sql)), Describe(expected)) << sql;
  }
}

TEST(ReadVerdict, VolatileOperatorsMakeEverythingDoubtful) {
  CatalogRows rows = Sample();
  Of(rows, CatalogQuery::kHidden) = {{"500"}};
  const CatalogRef catalog = Catalog::FromRows(rows).value();
  EXPECT_EQ(Judge(*catalog, "SELECT a FROM t WHERE a === 1"), ReadVerdict::kHiddenVolatile);
}

}  // namespace
}  // namespace pgweir::router
