// The catalog's queries against a real server.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "router/catalog.h"
#include "router/read_verdict.h"
#include "tests/router/facts_of.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::router {
namespace {

constexpr const char* kSchema = R"(
CREATE SCHEMA app;
CREATE TABLE app.plain (id int PRIMARY KEY, name text);
CREATE FUNCTION app.volatile_one() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.stable_one() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION app.step(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.calm_step(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE AGGREGATE app.total(int) (sfunc = app.step, stype = int);
CREATE AGGREGATE app.calm_total(int) (sfunc = app.calm_step, stype = int);
CREATE FUNCTION app.equal(int, int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT true';
CREATE OPERATOR app.=== (leftarg = int, rightarg = int, function = app.equal);
CREATE VIEW app.calling AS SELECT app.volatile_one() AS x;
CREATE VIEW app.calling_deep AS SELECT * FROM (SELECT x FROM app.calling) s;
CREATE VIEW app.comparing AS SELECT id OPERATOR(app.===) 1 AS same FROM app.plain;
CREATE VIEW app.showing AS SELECT * FROM app.plain;
CREATE FUNCTION app.on_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE app.triggered (id int PRIMARY KEY, plain int REFERENCES app.plain ON DELETE CASCADE);
CREATE TABLE app.refused (id int REFERENCES app.triggered);
CREATE TRIGGER g BEFORE INSERT ON app.triggered FOR EACH ROW EXECUTE FUNCTION app.on_change();
CREATE TABLE app.parent (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE app.child PARTITION OF app.parent FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE app.defaulted (id int DEFAULT app.volatile_one(), n serial);
CREATE TABLE app.serial (n serial, at timestamptz DEFAULT now());
CREATE TABLE app.checked (id int CHECK (app.volatile_one() > id));
CREATE TABLE app.ruled (id int);
CREATE RULE r AS ON INSERT TO app.ruled DO ALSO SELECT app.volatile_one();
CREATE TABLE app.policed (id int);
CREATE POLICY p ON app.policed USING (app.volatile_one() = id);
)";

class CatalogTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<pgweir::test::PostgresServer>();
    server_->Query(kSchema);
    catalog_ = Catalog::FromRows(Ask()).value();
  }
  static void TearDownTestSuite() {
    catalog_.reset();
    server_.reset();
  }

  static CatalogRows Ask() {
    const pgweir::test::Connection connection(server_->SocketConninfo());
    CatalogRows rows;
    for (size_t query = 0; query < kCatalogQueries; ++query) {
      const auto result = connection.Exec(CatalogQueryText(static_cast<CatalogQuery>(query)));
      EXPECT_TRUE(result.ok()) << query << ": " << result.message();
      for (int row = 0; row < result.rows(); ++row) {
        CatalogRow& values = rows[query].emplace_back();
        for (int column = 0; column < PQnfields(result.get()); ++column) {
          values.push_back(result.Value(row, column));
        }
      }
    }
    return rows;
  }

  static SessionVerdict Verdict(std::string_view sql) {
    return catalog_->MayChangeSession(test::FactsOf(sql).statements.at(0));
  }

  static std::unique_ptr<pgweir::test::PostgresServer> server_;
  static CatalogRef catalog_;
};
std::unique_ptr<pgweir::test::PostgresServer> CatalogTest::server_;
CatalogRef CatalogTest::catalog_;

TEST_F(CatalogTest, ARealServersCatalogIsReadWhole) {
  const auto plain = catalog_->Find({"app", "plain"});
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_EQ(plain[0]->kind, 'r');
  ASSERT_EQ(plain[0]->columns.size(), 2u);
  EXPECT_EQ(plain[0]->columns[0].name, "id");
  EXPECT_EQ(plain[0]->columns[0].type, 23u);
  EXPECT_EQ(plain[0]->columns[1].type, 25u);
  EXPECT_NE(catalog_->Find({"app", "calling"}).at(0)->definition.find("volatile_one"),
            std::string::npos);
  const auto parent = catalog_->Find({"", "parent"});
  ASSERT_EQ(parent.at(0)->children.size(), 1u);
  EXPECT_EQ(catalog_->relations()[parent[0]->children[0]].name, (QualifiedName{"app", "child"}));
  EXPECT_EQ(*catalog_->VolatilityOf({"", "now"}), Volatility::kStable);
  EXPECT_EQ(*catalog_->VolatilityOf({"", "random"}), Volatility::kVolatile);
  EXPECT_EQ(*catalog_->VolatilityOf({"app", "stable_one"}), Volatility::kStable);
}

TEST_F(CatalogTest, WhatRunsUnseenIsFoundThroughViewsTriggersAndTheRest) {
  using enum SessionVerdict;
  const std::pair<std::string_view, SessionVerdict> cases[] = {
      {"SELECT count(*), max(name), now() FROM app.plain", kNo},
      {"SELECT current_user, extract(year FROM now()), trim(' a '), position('a' IN 'b')", kNo},
      {"SELECT date '2020-01-01' AT TIME ZONE 'UTC', (1, 2) OVERLAPS (3, 4)", kNo},
      {"INSERT INTO app.child VALUES (1, '2020-02-02')", kNo},
      // Its deletes reach app.triggered.
      {"DELETE FROM app.plain", kWritesVolatile},
      {"UPDATE app.showing SET name = 'x'", kWritesVolatile},
      {"SELECT * FROM app.showing", kNo},
      {"SELECT app.volatile_one()", kCallsVolatile},
      {"SELECT stable_one()", kNo},
      {"SELECT total(1)", kCallsVolatile},
      {"SELECT calm_total(1)", kNo},
      {"SELECT * FROM app.calling", kReadsVolatile},
      {"SELECT * FROM calling_deep", kReadsVolatile},
      {"SELECT * FROM comparing", kReadsVolatile},
      {"INSERT INTO app.triggered VALUES (1)", kWritesVolatile},
      {"SELECT * FROM app.triggered", kNo},
      {"INSERT INTO app.refused VALUES (1)", kNo},
      {"INSERT INTO app.defaulted DEFAULT VALUES", kWritesVolatile},
      {"INSERT INTO app.serial DEFAULT VALUES", kNo},
      {"INSERT INTO app.checked VALUES (1)", kWritesVolatile},
      {"INSERT INTO app.ruled VALUES (1)", kWritesVolatile},
      {"SELECT * FROM app.ruled", kNo},
      {"SELECT * FROM app.policed", kReadsVolatile},
      {"INSERT INTO app.parent VALUES (1, '2020-02-02')", kNo},
      {"SELECT * FROM pg_stat_activity, information_schema.columns", kNo},
      {"SELECT nextval('app.serial_n_seq')", kNo},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Describe(Verdict(sql)), Describe(expected)) << sql;
  }
}

// Views as the server writes them down, and what statements don't name.
TEST_F(CatalogTest, WhatIsSurelyAReadIsKnown) {
  using enum ReadVerdict;
  const std::pair<std::string_view, ReadVerdict> cases[] = {
      {"SELECT * FROM app.showing WHERE name LIKE 'a%'", kRead},
      {"SELECT name, count(*) FROM app.plain GROUP BY name ORDER BY max(id) LIMIT 3", kRead},
      {"SELECT sum(id) OVER w FROM app.parent WINDOW w AS (PARTITION BY at)", kRead},
      {"SELECT * FROM app.drawing", kReadsVolatile},
      {"SELECT * FROM app.drawing_deep", kReadsVolatile},
      {"SELECT * FROM app.calling", kReadsVolatile},
      {"SELECT * FROM app.policed", kReadsVolatile},
  };
  server_->Query(
      "CREATE VIEW app.drawing AS SELECT nextval('app.serial_n_seq') AS n;"
      "CREATE VIEW app.drawing_deep AS SELECT n + 1 AS n FROM app.drawing");
  EXPECT_TRUE(Catalog::FromRows(Ask()).value()->hides_volatile());
  server_->Query("DROP VIEW app.comparing; DROP OPERATOR app.=== (int, int)");
  const CatalogRef catalog = Catalog::FromRows(Ask()).value();
  EXPECT_FALSE(catalog->hides_volatile());
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Describe(JudgeRead(test::FactsOf(sql).statements.at(0), *catalog)),
              Describe(expected))
        << sql;
  }
}

TEST_F(CatalogTest, AskingAgainGivesTheSameUntilSomethingChanges) {
  const CatalogRef before = Catalog::FromRows(Ask()).value();
  EXPECT_EQ(Catalog::Refresh(before, Ask()).value(), before);
  server_->Query("CREATE TABLE app.later (id int)");
  const CatalogRef later = Catalog::Refresh(before, Ask()).value();
  EXPECT_NE(later, before);
  EXPECT_EQ(later->Find({"app", "later"}).size(), 1u);
  server_->Query("DROP TABLE app.later");
  EXPECT_EQ(Catalog::Refresh(before, Ask()).value(), before);
}

TEST_F(CatalogTest, EveryFunctionOfPgCatalogIsKnown) {
  const pgweir::test::Connection connection(server_->SocketConninfo());
  const auto names = connection.Exec(
      "SELECT DISTINCT proname::text FROM pg_proc WHERE pronamespace = "
      "'pg_catalog'::regnamespace");
  ASSERT_GT(names.rows(), 2000);
  for (int row = 0; row < names.rows(); ++row) {
    EXPECT_NE(catalog_->VolatilityOf({"", names.Value(row)}), nullptr) << names.Value(row);
  }
}

}  // namespace
}  // namespace pgweir::router
