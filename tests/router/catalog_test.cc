#include "router/catalog.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

std::vector<CatalogRow>& Of(CatalogRows& rows, CatalogQuery query) {
  return rows[static_cast<size_t>(query)];
}

// app.t with a view v and a view w of v; app.log with a trigger; parent with the child log;
// app.item, which app.log's rows follow.
CatalogRows Sample() {
  CatalogRows rows;
  Of(rows, CatalogQuery::kRelations) = {
      {"1", "app", "t", "r", ""},         {"2", "app", "v", "v", "SELECT app.bump()"},
      {"3", "app", "w", "v", "SELECT 1"}, {"4", "app", "log", "r", ""},
      {"5", "app", "parent", "p", ""},    {"6", "app", "item", "r", ""},
      {"7", "app", "guarded", "r", ""},   {"8", "app", "uuids", "r", ""},
      {"9", "other", "log", "r", ""},     {"10", "app", "over_log", "v", "SELECT 1"},
  };
  Of(rows, CatalogQuery::kColumns) = {
      {"1", "a", "23", ""}, {"1", "b", "25", "d"}, {"77", "x", "23", ""}};
  Of(rows, CatalogQuery::kInheritance) = {{"4", "5"}};
  Of(rows, CatalogQuery::kFunctions) = {
      {"101", "app", "bump", "v", ""},  {"102", "app", "calm", "s", ""},
      {"103", "app", "pure", "i", ""},  {"104", "public", "uuid_generate_v4", "v", "uuid-ossp"},
      {"105", "app", "twice", "s", ""}, {"106", "other", "twice", "v", ""},
      {"107", "app", "lower", "i", ""}, {"108", "other", "set_limit", "v", "pg_trgm"},
  };
  Of(rows, CatalogQuery::kBuiltIns) = {
      {"lower", "i"}, {"now", "s"}, {"random", "v"}, {"bump", "i"}};
  Of(rows, CatalogQuery::kUses) = {
      {"2", "r", "f", "101"}, {"3", "r", "r", "2"},   {"4", "w", "f", "101"}, {"6", "w", "r", "4"},
      {"7", "r", "f", "101"}, {"8", "w", "f", "104"}, {"10", "r", "r", "4"},
  };
  return rows;
}

SessionVerdict Verdict(const Catalog& catalog, std::string_view sql) {
  const Facts facts = test::FactsOf(sql);
  EXPECT_EQ(facts.not_understood, "") << sql;
  return catalog.MayChangeSession(facts.statements.at(0));
}

TEST(Catalog, SaysWhetherAStatementMayChangeItsSessionUnseen) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  using enum SessionVerdict;
  const std::pair<std::string_view, SessionVerdict> cases[] = {
      {"SELECT 1", kNo},
      {"SELECT now(), random(), lower('A')", kNo},
      {"SELECT app.calm(), pure()", kNo},
      {"SELECT app.bump()", kCallsVolatile},
      // A built-in one of that name may be hidden by search_path.
      {"SELECT bump()", kCallsVolatile},
      {"SELECT pg_catalog.bump()", kNo},
      {"SELECT app.twice()", kNo},
      {"SELECT twice()", kCallsVolatile},
      {"SELECT other.twice()", kCallsVolatile},
      {"SELECT uuid_generate_v4()", kNo},
      {"SELECT set_limit(1)", kCallsVolatile},
      {"SELECT app.nothing()", kUnknownName},
      {"SELECT nothing()", kUnknownName},
      {"SELECT nothing(bump())", kCallsVolatile},
      {"PREPARE p AS SELECT bump()", kCallsVolatile},
      {"EXPLAIN SELECT bump()", kNo},
      {"SELECT * FROM t", kNo},
      {"UPDATE t SET a = 1", kNo},
      {"SELECT * FROM app.v", kReadsVolatile},
      {"SELECT * FROM w", kReadsVolatile},
      {"SELECT * FROM other.w", kUnknownName},
      {"SELECT * FROM log", kNo},
      {"INSERT INTO log VALUES (1)", kWritesVolatile},
      {"INSERT INTO other.log VALUES (1)", kNo},
      {"UPDATE parent SET a = 1", kWritesVolatile},
      {"SELECT * FROM parent", kNo},
      {"DELETE FROM item", kWritesVolatile},
      {"SELECT * FROM over_log", kNo},
      {"INSERT INTO over_log VALUES (1)", kWritesVolatile},
      {"SELECT * FROM guarded", kReadsVolatile},
      {"INSERT INTO uuids VALUES (1)", kNo},
      {"SELECT * FROM pg_class, information_schema.tables, pg_catalog.pg_proc", kNo},
      {"SELECT * FROM nowhere", kUnknownName},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Describe(Verdict(*catalog, sql)), Describe(expected)) << sql;
  }
}

TEST(Catalog, HasRelationsWithTheirColumnsAndPartitions) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  const auto t = catalog->Find({"app", "t"});
  ASSERT_EQ(t.size(), 1u);
  EXPECT_EQ(t[0]->oid, 1u);
  ASSERT_EQ(t[0]->columns.size(), 2u);
  EXPECT_EQ(t[0]->columns[1].name, "b");
  EXPECT_EQ(t[0]->columns[1].type, 25u);
  EXPECT_EQ(catalog->Find({"", "log"}).size(), 2u);
  EXPECT_TRUE(catalog->Find({"", "nowhere"}).empty());
  const auto parent = catalog->Find({"app", "parent"});
  ASSERT_EQ(parent.at(0)->children.size(), 1u);
  EXPECT_EQ(catalog->relations()[parent[0]->children[0]].name.name, "log");
  EXPECT_EQ(catalog->Find({"app", "v"}).at(0)->definition, "SELECT app.bump()");
}

TEST(Catalog, KnowsVolatilityByName) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  EXPECT_EQ(*catalog->VolatilityOf({"", "now"}), Volatility::kStable);
  EXPECT_EQ(*catalog->VolatilityOf({"pg_catalog", "random"}), Volatility::kVolatile);
  EXPECT_EQ(*catalog->VolatilityOf({"app", "twice"}), Volatility::kStable);
  EXPECT_EQ(*catalog->VolatilityOf({"", "twice"}), Volatility::kVolatile);
  EXPECT_EQ(*catalog->VolatilityOf({"", "bump"}), Volatility::kVolatile);
  EXPECT_EQ(*catalog->VolatilityOf({"pg_catalog", "bump"}), Volatility::kImmutable);
  EXPECT_EQ(catalog->VolatilityOf({"", "nothing"}), nullptr);
}

TEST(Catalog, StaysTheSameObjectWhenNothingIsNew) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  EXPECT_EQ(Catalog::Refresh(catalog, Sample()).value(), catalog);
  CatalogRows rows = Sample();
  Of(rows, CatalogQuery::kFunctions)[1][3] = "v";
  const CatalogRef other = Catalog::Refresh(catalog, rows).value();
  EXPECT_NE(other, catalog);
  EXPECT_NE(other->fingerprint(), catalog->fingerprint());
  EXPECT_EQ(Verdict(*other, "SELECT calm()"), SessionVerdict::kCallsVolatile);
  EXPECT_NE(Catalog::Refresh(nullptr, rows).value(), nullptr);
}

TEST(Catalog, RowsOfAnotherShapeAreAnError) {
  CatalogRows rows = Sample();
  Of(rows, CatalogQuery::kUses)[0].pop_back();
  EXPECT_FALSE(Catalog::FromRows(rows).ok());
  rows = Sample();
  Of(rows, CatalogQuery::kRelations)[0][0] = "x";
  EXPECT_FALSE(Catalog::FromRows(rows).ok());
}

}  // namespace
}  // namespace pgweir::router
