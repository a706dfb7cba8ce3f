// Numbers that are put into INSERTs which leave columns to sequences.

#include "router/drawn_numbers.h"

#include <gmock/gmock.h>

#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

using testing::HasSubstr;

class Drawn : public testing::Test {
 protected:
  struct Case {
    std::string_view sql, expected;
  };
  void Expect(const std::vector<Case>& cases) {
    for (const Case& one : cases) EXPECT_EQ(routed_.NumberedOf(one.sql), one.expected) << one.sql;
  }
  void ExpectRefused(std::string_view sql, std::string_view why) {
    EXPECT_THAT(routed_.Where(sql), HasSubstr(why)) << sql;
    EXPECT_EQ(routed_.NumberedOf(sql), "") << sql;
  }

  test::Routed routed_;
};

TEST_F(Drawn, PutsNumbersBehindEachRow) {
  Expect({{"INSERT INTO counted (symbol) VALUES ('BTC')",
           "INSERT INTO counted (symbol, \"id\") VALUES ('BTC', 1)"},
          {"insert into public.counted as c(symbol,n)values('BTC',(1+2)*3),('BTC',f(1,2))",
           "insert into public.counted as c(symbol,n, \"id\")values('BTC',(1+2)*3, 1),"
           "('BTC',f(1,2), 2)"},
          {"INSERT INTO counted (symbol, n) VALUES ('BTC', (ARRAY[1, 2])[1]) RETURNING id;",
           "INSERT INTO counted (symbol, n, \"id\") VALUES ('BTC', (ARRAY[1, 2])[1], 1) "
           "RETURNING id;"}});
}

TEST_F(Drawn, NamesTheColumnsOfAnInsertThatNamesNone) {
  Expect({{"INSERT INTO counted VALUES ('BTC', 1)",
           "INSERT INTO counted (\"symbol\", \"n\", \"id\") VALUES ('BTC', 1, 1)"},
          {"INSERT INTO counted VALUES ('BTC')",
           "INSERT INTO counted (\"symbol\", \"id\") VALUES ('BTC', 1)"},
          {"INSERT INTO counted AS c VALUES ('BTC', 1)",
           "INSERT INTO counted AS c (\"symbol\", \"n\", \"id\") VALUES ('BTC', 1, 1)"},
          {"INSERT INTO counted VALUES ('BTC', 1, DEFAULT)",
           "INSERT INTO counted VALUES ('BTC', 1, 1)"}});
}

TEST_F(Drawn, ReplacesDefaultWhereItStandsForANumber) {
  Expect({{"INSERT INTO counted (id, symbol, n) VALUES (DEFAULT, 'BTC', default), (7, 'BTC', 1), "
           "(default , 'BTC', 2)",
           "INSERT INTO counted (id, symbol, n) VALUES (1, 'BTC', default), (7, 'BTC', 1), "
           "(2 , 'BTC', 2)"},
          {"INSERT INTO counted (symbol, id) VALUES ('BTC', 3)", ""},
          {"INSERT INTO counted VALUES ('BTC', 1, 3)", ""}});
}

TEST_F(Drawn, OverridesWhatIsGeneratedAlways) {
  Expect({{"INSERT INTO ledger (symbol, label) VALUES ('BTC', 'x')",
           "INSERT INTO ledger (symbol, label, \"id\", \"Line\") OVERRIDING SYSTEM VALUE VALUES "
           "('BTC', 'x', 1, 2)"},
          {"INSERT INTO ledger VALUES (DEFAULT, 'BTC', DEFAULT, 'x'), (default, 'BTC', 5, 'y')",
           "INSERT INTO ledger OVERRIDING SYSTEM VALUE VALUES (1, 'BTC', 2, 'x'), "
           "(3, 'BTC', 5, 'y')"},
          {"INSERT INTO ledger (\"Line\", symbol, label, id) VALUES (DEFAULT, 'BTC', 'x', DEFAULT)",
           "INSERT INTO ledger (\"Line\", symbol, label, id) OVERRIDING SYSTEM VALUE VALUES "
           "(2, 'BTC', 'x', 1)"},
          {"INSERT INTO ledger (id, symbol, label) OVERRIDING SYSTEM VALUE VALUES (4, 'BTC', 'x')",
           "INSERT INTO ledger (id, symbol, label, \"Line\") OVERRIDING SYSTEM VALUE VALUES "
           "(4, 'BTC', 'x', 1)"}});
  // The number that the client gives is refused as the server would.
  const std::string_view given = "INSERT INTO ledger (id, symbol, label) VALUES (4, 'BTC', 'x')";
  EXPECT_STREQ(routed_.PlanOf(given).sqlstate, "428C9");
  ExpectRefused(given, "cannot insert a non-DEFAULT value into column \"id\"");
}

TEST_F(Drawn, KeepsWhatFollowsTheRows) {
  Expect(
      {{"INSERT INTO counted (symbol) VALUES ('BTC') ON CONFLICT (id) DO UPDATE SET n = "
        "excluded.id RETURNING *",
        "INSERT INTO counted (symbol, \"id\") VALUES ('BTC', 1) ON CONFLICT (id) DO UPDATE SET "
        "n = excluded.id RETURNING *"}});
}

TEST_F(Drawn, FindsNoPlaceInWhatIsNotPlain) {
  Expect({{"WITH o AS (SELECT 1) INSERT INTO counted (symbol) VALUES ('BTC')", "not plain"},
          {"INSERT INTO counted (symbol) (VALUES ('BTC'))", "not plain"},
          {"INSERT INTO counted (symbol) VALUES ('BTC') ORDER BY 1", "not plain"},
          {"INSERT INTO counted VALUES ('BTC', (x).*)", "not plain"},
          {"INSERT INTO U&\"counted\" (symbol) VALUES ('BTC')", "not plain"}});
}

TEST_F(Drawn, AreRefusedWhereTheyCantBeDrawn) {
  ExpectRefused("INSERT INTO counted (symbol) SELECT 'BTC'", "not a plain INSERT … VALUES");
  ExpectRefused("EXPLAIN INSERT INTO counted (symbol) VALUES ('BTC')", "not a plain INSERT");
  ExpectRefused("WITH i AS (INSERT INTO counted (symbol) VALUES ('BTC') RETURNING id) TABLE i",
                "not a plain INSERT");
  ExpectRefused("INSERT INTO ledger (symbol) VALUES ('BTC')",
                "column \"label\" of the sharded table \"ledger\" draws from a sequence of each "
                "node, and its default is more than nextval of one sequence");
  ExpectRefused("INSERT INTO counted (symbol, n) VALUES ('BTC')", "not as many values");
  ExpectRefused("INSERT INTO counted (id, symbol) OVERRIDING USER VALUE VALUES (1, 'BTC')",
                "overrides user values");
}

TEST_F(Drawn, AreOfTheTypeOfNextval) {
  EXPECT_EQ(NumberLiteral("-7"), "'-7'::pg_catalog.int8");
  EXPECT_EQ(NumberParameter(3, "public.s"),
            "COALESCE($3::pg_catalog.int8, "
            "pg_catalog.nextval('public.s'::pg_catalog.text::pg_catalog.regclass))");
}

}  // namespace
}  // namespace pgweir::router
