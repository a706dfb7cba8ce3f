#include "router/touched_tables.h"

#include <gtest/gtest.h>

#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

std::vector<CatalogRow>& Of(CatalogRows& rows, CatalogQuery query) {
  return rows[static_cast<size_t>(query)];
}

CatalogRows Sample() {
  CatalogRows rows;
  Of(rows, CatalogQuery::kRelations) = {{"1", "public", "t", "r", ""},
                                        {"2", "public", "v", "v", " SELECT t.a FROM t;"},
                                        {"3", "public", "over_v", "v", " SELECT v.a FROM v;"},
                                        {"4", "public", "split", "p", ""},
                                        {"5", "public", "low", "r", ""},
                                        {"6", "public", "high", "r", ""},
                                        {"7", "public", "master", "r", ""},
                                        {"8", "public", "detail", "r", ""},
                                        {"9", "public", "triggering", "r", ""},
                                        {"10", "public", "far", "f", ""},
                                        {"11", "other", "t", "r", ""},
                                        {"12", "public", "detail_low", "r", ""}};
  Of(rows, CatalogQuery::kInheritance) = {{"5", "4"}, {"6", "4"}};
  Of(rows, CatalogQuery::kUses) = {{"2", "r", "r", "1"},
                                   {"3", "r", "r", "2"},
                                   {"7", "w", "r", "8"},
                                   {"8", "w", "r", "12"},
                                   {"9", "w", "f", "101"}};
  Of(rows, CatalogQuery::kFunctions) = {{"101", "public", "bump", "v", ""},
                                        {"102", "public", "calm", "s", ""}};
  Of(rows, CatalogQuery::kBuiltIns) = {
      {"now", "s"}, {"nextval", "v"}, {"query_to_xml", "v"}, {"count", "i"}};
  return rows;
}

std::string Names(const TouchedTables& touched, const Catalog& catalog) {
  if (touched.unknown) return "unknown";
  std::string names;
  for (const uint32_t index : touched.relations) {
    const QualifiedName& name = catalog.relations()[index].name;
    names +=
        (names.empty() ? "" : " ") + (name.schema == "public" ? "" : name.schema + ".") + name.name;
  }
  return names;
}

TEST(TouchedTables, ThatAreRead) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT 1", ""},
      {"SELECT * FROM public.t", "t"},
      {"SELECT * FROM t", "t other.t"},
      {"SELECT * FROM master, detail WHERE a IN (SELECT a FROM high)", "high master detail"},
      {"SELECT * FROM v", "t v"},
      {"SELECT * FROM over_v", "t v over_v"},
      {"SELECT * FROM split", "split low high"},
      {"SELECT * FROM low", "low"},
      {"SELECT * FROM nosuch", "unknown"},
      {"WITH x AS (SELECT * FROM low) SELECT * FROM x", "low"},
  };
  for (const auto& [sql, expected] : cases) {
    const Facts facts = test::FactsOf(sql);
    EXPECT_EQ(Names(TablesRead(facts.statements.at(0), *catalog), *catalog), expected) << sql;
  }
}

TEST(TouchedTables, ThatAreWritten) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT * FROM t, v", ""},
      {"SELECT * FROM public.t FOR UPDATE", ""},
      {"INSERT INTO public.t SELECT * FROM low", "t"},
      {"INSERT INTO public.t VALUES (1) ON CONFLICT DO NOTHING", "t"},
      {"UPDATE low SET a = 1 FROM high", "low"},
      {"DELETE FROM public.t USING low", "t"},
      {"MERGE INTO low USING high ON true WHEN MATCHED THEN DELETE", "low"},
      {"COPY low FROM STDIN", "low"},
      {"COPY low TO STDOUT", ""},
      {"UPDATE split SET a = 1", "split low high"},
      {"DELETE FROM master", "master detail detail_low"},
      {"WITH x AS (DELETE FROM low RETURNING a) INSERT INTO high SELECT * FROM x", "low high"},
      {"WITH x AS (DELETE FROM low RETURNING a) SELECT * FROM x", "low"},
      {"EXPLAIN ANALYZE UPDATE low SET a = 1", "low"},
      {"SELECT now(), nextval('s'), calm()", ""},
      {"BEGIN", ""},
      {"COMMIT", ""},
      {"ROLLBACK PREPARED 'x'", ""},
      {"SET a.b = '1'", ""},
      {"SHOW work_mem", ""},
      {"LOCK TABLE low", ""},
      {"PREPARE p AS UPDATE low SET a = 1", ""},
      {"DEALLOCATE p", ""},
      {"COMMIT PREPARED 'x'", "unknown"},
      {"EXECUTE p", "unknown"},
      {"CALL p()", "unknown"},
      {"DO $$ BEGIN END $$", "unknown"},
      {"TRUNCATE low", "unknown"},
      {"DROP TABLE low", "unknown"},
      {"CREATE TABLE x AS SELECT 1", "unknown"},
      {"SELECT 1 INTO x", "unknown"},
      {"REFRESH MATERIALIZED VIEW m", "unknown"},
      {"GRANT SELECT ON low TO x", "unknown"},
      {"UPDATE triggering SET a = 1", "unknown"},
      {"UPDATE nosuch SET a = 1", "unknown"},
      {"UPDATE far SET a = 1", "unknown"},
      {"SELECT bump()", "unknown"},
      {"SELECT nosuch()", "unknown"},
      {"INSERT INTO low VALUES (bump())", "unknown"},
      {"SELECT query_to_xml('delete from t', true, true, '')", "unknown"},
  };
  for (const auto& [sql, expected] : cases) {
    const Facts facts = test::FactsOf(sql);
    ASSERT_EQ(facts.not_understood, "") << sql;
    EXPECT_EQ(Names(TablesWritten(facts.statements.at(0), *catalog), *catalog), expected) << sql;
  }
}

TEST(TouchedTables, AreUnknownWhereOperatorsHideVolatileFunctions) {
  CatalogRows rows = Sample();
  Of(rows, CatalogQuery::kHidden) = {{"500"}};
  const CatalogRef catalog = Catalog::FromRows(rows).value();
  const Facts facts = test::FactsOf("SELECT * FROM low WHERE a === 1");
  EXPECT_TRUE(TablesWritten(facts.statements.at(0), *catalog).unknown);
}

}  // namespace
}  // namespace pgweir::router
