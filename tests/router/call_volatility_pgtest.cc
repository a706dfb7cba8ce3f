// Which overload of a function a call means: what a real server chooses, by the trees of views.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "router/call_volatility.h"
#include "tests/router/facts_of.h"
#include "tests/router/server_rows.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::router {
namespace {

constexpr const char* kSchema = R"(
CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE DOMAIN app.moment AS timestamp;
CREATE DOMAIN app.deep AS app.moment;
CREATE DOMAIN app.word AS text;
CREATE TYPE app.pair AS (a int, b timestamp);
CREATE TABLE app.t (ts timestamp, tz timestamptz, d date, tm time, iv interval, txt text,
  vc varchar(9), ch char(3), n int, big bigint, small smallint, num numeric(8, 2), real real,
  dbl float8, flag bool, dom app.moment, deep app.deep, word app.word, list timestamp[], js json,
  jsb jsonb, by bytea, pr app.pair, nm name);
CREATE VIEW app.days AS SELECT date_trunc('day', ts) AS day, date_trunc('day', tz) AS zoned
  FROM app.t;

CREATE FUNCTION app.f(text, timestamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.f(text, timestamptz) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.f(anyelement, timestamp) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION app.f(varchar, date) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION other.f(text, date) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION other.f(int, timestamp) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION other.f(app.word, timestamp) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';

CREATE FUNCTION app.g(timestamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.g(app.moment) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.g(VARIADIC timestamptz[]) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.g(timestamptz, int DEFAULT 1) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION other.g(timestamp, int DEFAULT 1) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION other.g(anyelement) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION other.g(anyarray) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';

CREATE FUNCTION app.k(timestamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.k(timestamptz) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';

CREATE FUNCTION app.h(numeric) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.h(float8) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION app.h(text) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION app.h(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.h(anycompatible, anycompatible) RETURNS int LANGUAGE sql VOLATILE
  AS 'SELECT 1';
CREATE FUNCTION other.h(bigint) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION other.h(bigint, int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION other.h(VARIADIC int[]) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';

CREATE FUNCTION app.step(int, timestamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.step(int, timestamptz) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE AGGREGATE app.total(timestamp) (sfunc = app.step, stype = int);
CREATE AGGREGATE app.total(timestamptz) (sfunc = app.step, stype = int);

CREATE FUNCTION other.date_trunc(text, date) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION other.date_trunc(text, timestamp) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION other.date(app.moment) RETURNS date LANGUAGE sql STABLE AS 'SELECT $1::date';
CREATE FUNCTION other.length(varchar) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION other.lower(varchar) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1::text';

CREATE TABLE app.u (ts timestamptz, n int);
CREATE TABLE other.u (ts timestamp, n int);

-- The greatest volatility of the functions that the query calls, casts apart; ? when the server
-- refuses it.
CREATE FUNCTION public.chosen(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE letter text;
BEGIN
  EXECUTE 'CREATE TEMP VIEW probe AS ' || query;
  SELECT coalesce(max(p.provolatile::text), 'i') INTO letter
  FROM pg_rewrite w, regexp_matches(w.ev_action::text,
    'FUNCEXPR :funcid (\d+) :funcresulttype \d+ :funcretset \w+ :funcvariadic \w+ :funcformat [03]',
    'g') m JOIN pg_proc p ON p.oid = m[1]::oid
  WHERE w.ev_class = 'probe'::regclass;
  RAISE EXCEPTION SQLSTATE 'PW001';
EXCEPTION
  WHEN SQLSTATE 'PW001' THEN RETURN letter;
  WHEN OTHERS THEN RETURN '?';
END $$;
)";

char Letter(Volatility volatility) {
  return volatility == Volatility::kImmutable ? 'i' : volatility == Volatility::kStable ? 's' : 'v';
}

class CallVolatilityOnServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<pgweir::test::PostgresServer>();
    server_->Query(kSchema);
    catalog_ = Catalog::FromRows(test::CatalogRowsOf(server_->SocketConninfo())).value();
  }
  static void TearDownTestSuite() {
    catalog_.reset();
    server_.reset();
  }

  static std::string Query(const std::string& expression) {
    return "SELECT " + expression + " AS x FROM app.t";
  }

  static char Ours(const std::string& query) {
    const Facts facts = test::FactsOf(query);
    EXPECT_EQ(facts.not_understood, "") << query;
    char greatest = 'i';
    for (const CalledFunction& called : FunctionsCalled(facts.statements.at(0), *catalog_)) {
      if (!called.volatility) return 'v';
      greatest = std::max(greatest, Letter(*called.volatility));
    }
    return greatest;
  }

  static std::string Quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
    return quoted + "'";
  }

  // By this search_path, one letter a query.
  static std::string Theirs(const std::vector<std::string>& queries, std::string_view path) {
    std::string sql = fmt::format(
        "SET search_path = {}; SELECT string_agg(public.chosen(e), '' ORDER BY n) FROM unnest("
        "ARRAY[",
        path);
    for (const std::string& query : queries) sql += Quoted(query) + ",";
    sql.back() = ']';
    return server_->Query(sql + ") WITH ORDINALITY x (e, n)");
  }

  static std::unique_ptr<pgweir::test::PostgresServer> server_;
  static CatalogRef catalog_;
};
std::unique_ptr<pgweir::test::PostgresServer> CallVolatilityOnServer::server_;
CatalogRef CallVolatilityOnServer::catalog_;

TEST_F(CallVolatilityOnServer, IsTheServersWhereItMatters) {
  std::vector<std::string> expressions = {
      "date_part('day', ts)",
      "date_part('day', tz)",
      "date_part('day', dom)",
      "pg_catalog.date_trunc('day', ts)",
      "pg_catalog.date_trunc('day', tz)",
      "pg_catalog.date_trunc('day', d)",
      "pg_catalog.date_trunc('day', iv)",
      "pg_catalog.date_trunc('day', deep)",
      "pg_catalog.date_trunc(vc, ts)",
      "pg_catalog.date_trunc('day', tz AT TIME ZONE 'UTC')",
      "pg_catalog.date_trunc('day', ts AT TIME ZONE 'UTC')",
      "extract(year FROM ts)",
      "extract(year FROM tz)",
      "extract(epoch FROM d)",
      "extract(epoch FROM tz::timestamp)",
      "age(ts)",
      "age(ts, ts)",
      "age(tz, tz)",
      "ts AT TIME ZONE 'UTC'",
      "tz AT TIME ZONE 'UTC'",
      "to_timestamp(dbl)",
      "to_timestamp(txt, 'YYYY')",
      "generate_series(1, 3)",
      "generate_series(ts, ts, '1 day')",
      "generate_series(tz, tz, '1 day')",
      "quote_literal(txt)",
      "quote_literal(n)",
      "to_tsvector(txt)",
      "to_tsvector('simple', txt)",
      "app.f('x'::text, ts)",
      "app.f('x', tz)",
      "app.f(txt, ts)",
      "app.f(n, ts)",
      "app.h(n, n)",
      "app.h(num)",
      "app.h(dbl)",
      "app.h(txt)",
  };
  for (std::string& expression : expressions) expression = Query(expression);
  const std::string theirs = Theirs(expressions, "public");
  ASSERT_EQ(theirs.size(), expressions.size());
  for (size_t i = 0; i < expressions.size(); ++i) {
    EXPECT_EQ(Ours(expressions[i]), theirs[i]) << expressions[i];
  }
}

// The mark of an aggregate is not what it runs, so the server isn't asked.
TEST_F(CallVolatilityOnServer, AggregatesAreWhatTheyAreMadeOf) {
  EXPECT_EQ(Ours(Query("app.total(ts)")), 'i');
  EXPECT_EQ(Ours(Query("app.total(tz) OVER ()")), 'v');
  EXPECT_EQ(Ours(Query("app.total(d)")), 'v');
}

TEST_F(CallVolatilityOnServer, ViewsRepeatWhereTheirCallsDo) {
  EXPECT_FALSE(catalog_->Find({"app", "days"}).at(0)->surely_read);
  server_->Query("CREATE VIEW app.plain_days AS SELECT date_trunc('day', ts) AS day FROM app.t");
  server_->Query("DROP FUNCTION other.date_trunc(text, timestamp)");
  const CatalogRef catalog =
      Catalog::FromRows(test::CatalogRowsOf(server_->SocketConninfo())).value();
  for (const auto& [name, varies] : {std::pair("plain_days", false), std::pair("days", true)}) {
    EXPECT_TRUE(catalog->Find({"app", name}).at(0)->surely_read);
    EXPECT_EQ(catalog->Find({"app", name}).at(0)->read_varies, varies) << name;
  }
  server_->Query(
      "CREATE FUNCTION other.date_trunc(text, timestamp) RETURNS int LANGUAGE sql VOLATILE "
      "AS 'SELECT 1'");
}

// Whose types are declared, or aren't.
TEST_F(CallVolatilityOnServer, IsNotLessWhateverAParametersTypeIs) {
  const std::vector<std::string> calls = {"date_trunc($1, ts)",
                                          "date_trunc('day', $1)",
                                          "date_part($1, ts)",
                                          "timezone($1, tz)",
                                          "timezone($1, ts)",
                                          "age($1, ts)",
                                          "age($1)",
                                          "f($1, ts)",
                                          "f('x', $1)",
                                          "g($1)",
                                          "g(ts, $1)",
                                          "h($1)",
                                          "h($1, n)",
                                          "h(n, $1)",
                                          "length($1)",
                                          "lower($1)",
                                          "quote_literal($1)",
                                          "generate_series(ts, $1, '1 day')",
                                          "generate_series(ts, ts, $1)",
                                          "to_tsvector($1, txt)"};
  std::vector<std::string> ours, theirs;
  for (const std::string& call : calls) {
    const size_t at = call.find("$1");
    for (const char* value :
         {"NULL", "NULL::text", "NULL::varchar", "NULL::int", "NULL::numeric", "NULL::timestamp",
          "NULL::timestamptz", "NULL::date", "NULL::interval", "NULL::app.word", "NULL::app.moment",
          "NULL::timestamp[]", "NULL::regconfig", "NULL::time"}) {
      ours.push_back(Query(call));
      theirs.push_back(Query(call.substr(0, at) + value + call.substr(at + 2)));
    }
  }
  for (const char* path : {"public", "app", "other", "app, other"}) {
    const std::string letters = Theirs(theirs, path);
    for (size_t i = 0; i < theirs.size(); ++i) {
      if (letters[i] == '?') continue;
      EXPECT_GE(Ours(ours[i]), letters[i]) << theirs[i] << " by " << path;
    }
  }
}

// Which column a name means.
TEST_F(CallVolatilityOnServer, IsNotLessWhereverAColumnIsFound) {
  const std::vector<std::string> queries = {
      "SELECT app.k(ts) FROM app.u",
      "SELECT app.k(ts) FROM other.u",
      "SELECT app.k(u.ts) FROM app.u, app.t",
      "SELECT app.k(t.ts) FROM app.u t, app.t x",
      "SELECT app.k(app.u.ts) FROM app.u, other.u",
      "SELECT app.k(ts) FROM app.t JOIN app.u USING (ts)",
      "SELECT app.k(ts) FROM app.u NATURAL JOIN other.u",
      "SELECT app.k(x) FROM app.u AS t (x, ts)",
      "SELECT app.k(t.ts) FROM app.t AS t (tz, ts)",
      "SELECT app.k(y.ts) FROM (app.t y JOIN other.u z USING (n)) AS x (a), app.u y",
      "SELECT app.k(j.ts) FROM app.u JOIN other.u y USING (ts) AS j",
      "SELECT (SELECT app.k(z.ts) FROM (app.t y JOIN app.t z USING (n)) AS x (a)) FROM app.u z",
      "SELECT app.k(x.ts) FROM (SELECT ts FROM app.u) x",
      "WITH t AS (SELECT ts FROM app.u) SELECT app.k(ts) FROM t",
      "WITH t AS (SELECT ts FROM app.u) SELECT app.k(t.ts) FROM t",
      "WITH t AS (SELECT app.k(ts) FROM app.t) SELECT * FROM t",
      "SELECT (SELECT app.k(ts) FROM app.u) FROM app.t",
      "SELECT (SELECT app.k(ts) FROM (SELECT tz AS ts FROM app.t) x) FROM app.t",
      "SELECT (SELECT app.k(x.ts) FROM (SELECT tz AS ts FROM app.t) x) FROM app.t x",
      "SELECT (SELECT app.k(tz) FROM app.u) FROM app.t",
      "SELECT (SELECT app.k(t.ts) FROM app.u t) FROM app.t",
      "SELECT (SELECT app.k(x.ts) FROM app.t JOIN app.t y ON app.k(x.ts) = 1, app.t x) FROM app.u "
      "x",
      "SELECT (SELECT 1 FROM app.t z JOIN app.t y ON app.k(x.ts) = 1, app.t x) FROM app.u x",
      "SELECT (SELECT 1 FROM app.t z JOIN app.t y ON app.k(x.ts) = 1, app.u x) FROM app.t x",
      "SELECT (SELECT 1 FROM app.t x, app.t z JOIN app.t y ON app.k(x.ts) = 1) FROM app.u x",
      "SELECT (SELECT 1 FROM app.t x, (SELECT app.k(x.ts)) y) FROM app.u x",
      "SELECT (SELECT 1 FROM app.t x, LATERAL (SELECT app.k(x.ts)) y) FROM app.u x",
      "SELECT (SELECT 1 FROM app.u x, LATERAL (SELECT app.k(x.ts)) y) FROM app.t x",
      "SELECT (SELECT 1 FROM app.t x, app.k(x.ts) y) FROM app.u x",
      "SELECT (SELECT 1 FROM app.u x, app.k(x.ts) y) FROM app.t x",
      "SELECT (SELECT 1 FROM app.k(x.ts) y, app.t x) FROM app.u x",
      "SELECT (SELECT 1 FROM app.t z JOIN LATERAL app.k(z.ts) y ON true) FROM app.u z",
      "SELECT (WITH y AS (SELECT app.k(x.ts)) SELECT 1 FROM app.t x, y) FROM app.u x",
      "SELECT (SELECT app.k(x.ts) FROM app.t x UNION SELECT app.k(x.ts)) FROM app.u x",
      "SELECT (VALUES (app.k(ts))) FROM app.u",
      "SELECT count(*) FROM app.u GROUP BY ts HAVING app.k(ts) = 1 ORDER BY app.k(ts)",
      "SELECT count(*) OVER (PARTITION BY app.k(ts)) FROM app.u",
      "SELECT tz AS ts FROM app.t ORDER BY app.k(ts)",
      "SELECT tz AS ts FROM app.t GROUP BY tz, ts, app.k(ts)",
  };
  for (const char* path : {"app", "app, other", "other, app"}) {
    const std::string theirs = Theirs(queries, path);
    for (size_t i = 0; i < queries.size(); ++i) {
      EXPECT_NE(theirs[i], '?') << queries[i];
      EXPECT_GE(Ours(queries[i]), theirs[i] == '?' ? 'i' : theirs[i]) << queries[i];
    }
  }
}

// Arguments of every kind for every function whose overloads differ, whatever search_path is.
TEST_F(CallVolatilityOnServer, IsNeverLessThanTheServers) {
  const std::vector<std::string> arguments = {"ts",
                                              "tz",
                                              "d",
                                              "tm",
                                              "iv",
                                              "txt",
                                              "vc",
                                              "ch",
                                              "n",
                                              "big",
                                              "small",
                                              "num",
                                              "real",
                                              "dbl",
                                              "flag",
                                              "dom",
                                              "deep",
                                              "word",
                                              "list",
                                              "js",
                                              "jsb",
                                              "by",
                                              "pr",
                                              "nm",
                                              "'2026-01-01'",
                                              "NULL",
                                              "1",
                                              "1.5",
                                              "3000000000",
                                              "true",
                                              "ts::date",
                                              "n::text",
                                              "'x'::varchar",
                                              "(ts + '1 day')",
                                              "t.ts",
                                              "t",
                                              "timezone('UTC', tz)",
                                              "coalesce(dom, dom)"};
  const std::vector<std::string> some = {"ts",
                                         "tz",
                                         "d",
                                         "iv",
                                         "txt",
                                         "vc",
                                         "n",
                                         "big",
                                         "dom",
                                         "deep",
                                         "word",
                                         "list",
                                         "jsb",
                                         "'1 day'",
                                         "NULL",
                                         "1",
                                         "(ts + '1 day')",
                                         "timezone('UTC', tz)"};
  const std::vector<std::string> few = {"ts", "tz", "d", "iv", "dom", "'1 day'", "(iv + iv)"};
  const std::vector<std::string> of_one = {
      "age",         "date",          "length",      "lower",   "quote_literal",
      "\"time\"",    "\"timestamp\"", "timestamptz", "timetz",  "to_timestamp",
      "to_tsvector", "\"numeric\"",   "app.g",       "other.g", "g",
      "h",           "other.h"};
  const std::vector<std::string> of_two = {"age",
                                           "date_part",
                                           "date_trunc",
                                           "f",
                                           "g",
                                           "h",
                                           "pg_catalog.\"extract\"",
                                           "timezone",
                                           "to_tsvector",
                                           "\"timestamp\"",
                                           "ts_headline",
                                           "other.f"};
  std::vector<std::string> expressions;
  for (const std::string& a : arguments) {
    for (const std::string& name : of_one) expressions.push_back(name + "(" + a + ")");
  }
  for (const std::string& a : some) {
    for (const std::string& b : some) {
      for (const std::string& name : of_two) {
        expressions.push_back(fmt::format("{}({}, {})", name, a, b));
      }
    }
  }
  for (const std::string& a : few) {
    for (const std::string& b : few) {
      for (const std::string& c : few) {
        expressions.push_back(fmt::format("generate_series({}, {}, {})", a, b, c));
      }
    }
  }
  for (std::string& expression : expressions) expression = Query(expression);
  size_t known = 0, same = 0;
  for (const char* path : {"public", "app", "other", "app, other", "other, pg_catalog, app"}) {
    const std::string theirs = Theirs(expressions, path);
    ASSERT_EQ(theirs.size(), expressions.size());
    for (size_t i = 0; i < expressions.size(); ++i) {
      if (theirs[i] == '?') continue;
      ++known;
      const char ours = Ours(expressions[i]);
      same += ours == theirs[i] ? 1 : 0;
      EXPECT_GE(ours, theirs[i]) << expressions[i] << " by " << path;
    }
  }
  EXPECT_GT(known, 2000u);
  RecordProperty("known", static_cast<int>(known));
  RecordProperty("same", static_cast<int>(same));
}

}  // namespace
}  // namespace pgweir::router
