#include "router/call_volatility.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "router/read_verdict.h"
#include "router/repeat_verdict.h"
#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

std::vector<CatalogRow>& Of(CatalogRows& rows, CatalogQuery query) {
  return rows[static_cast<size_t>(query)];
}

struct Function {
  const char* schema;
  const char* name;
  const char* volatility;
  const char* arguments;
  const char* result = "0";
  const char* defaults = "0";
  const char* variadic = "";
};

void Add(CatalogRows& rows, const Function& function) {
  auto& overloads = Of(rows, CatalogQuery::kOverloads);
  const std::string oid = std::to_string(101 + overloads.size());
  overloads.push_back({oid, function.schema, function.name, function.volatility, function.arguments,
                       function.defaults, function.variadic, function.result});
  if (function.schema != std::string("pg_catalog")) {
    Of(rows, CatalogQuery::kFunctions)
        .push_back({oid, function.schema, function.name, function.volatility, ""});
    return;
  }
  auto& built_ins = Of(rows, CatalogQuery::kBuiltIns);
  const auto known = std::find_if(built_ins.begin(), built_ins.end(),
                                  [&](const CatalogRow& row) { return row[0] == function.name; });
  if (known == built_ins.end()) {
    built_ins.push_back({function.name, function.volatility});
  } else {
    (*known)[1] = std::max((*known)[1], std::string(function.volatility));
  }
}

// 25 text, 1043 varchar, 16 bool, 23 int4, 1114 timestamp, 1184 timestamptz, 1082 date, 1186
// interval, 2283 anyelement; 9001 is a domain of timestamp, 9002 of 9001.
CatalogRows Sample() {
  CatalogRows rows;
  Of(rows, CatalogQuery::kRelations) = {
      {"1", "public", "t", "r", ""},
      {"2", "public", "u", "r", ""},
      {"3", "a", "twin", "r", ""},
      {"4", "b", "twin", "r", ""},
      {"5", "a", "same", "r", ""},
      {"6", "b", "same", "r", ""},
      {"7", "public", "s", "S", ""},
      {"8", "public", "v", "v", " SELECT date_trunc('day'::text, t.ts) AS ts\n   FROM t;"},
      {"9", "public", "late", "v", " SELECT date_trunc('day'::text, t.tz) AS ts\n   FROM t;"},
      {"10", "a", "halved", "r", ""},
      {"11", "b", "halved", "r", ""},
  };
  Of(rows, CatalogQuery::kColumns) = {
      {"1", "ts", "1114", ""},   {"1", "tz", "1184", ""},   {"1", "d", "1082", ""},
      {"1", "txt", "25", ""},    {"1", "vc", "1043", ""},   {"1", "n", "23", ""},
      {"1", "list", "1115", ""}, {"1", "dom", "9001", ""},  {"1", "deep", "9002", ""},
      {"2", "ts", "1184", ""},   {"2", "only", "1184", ""}, {"3", "ts", "1114", ""},
      {"4", "ts", "1184", ""},   {"5", "ts", "1114", ""},   {"6", "ts", "1114", ""},
      {"8", "ts", "1114", ""},   {"9", "ts", "1184", ""},   {"10", "half", "1114", ""},
      {"11", "x", "23", ""},
  };
  Of(rows, CatalogQuery::kTypes) = {{"9001", "1114"}, {"9002", "9001"}};
  const Function functions[] = {
      {"pg_catalog", "date_trunc", "i", "25 1114", "1114"},
      {"pg_catalog", "date_trunc", "s", "25 1184", "1184"},
      {"pg_catalog", "date_trunc", "i", "25 1186", "1186"},
      {"pg_catalog", "date_trunc", "s", "25 1184 25", "1184"},
      {"pg_catalog", "age", "i", "1114 1114", "1186"},
      {"pg_catalog", "age", "i", "1184 1184", "1186"},
      {"pg_catalog", "age", "s", "1114", "1186"},
      {"pg_catalog", "age", "s", "1184", "1186"},
      {"pg_catalog", "extract", "i", "25 1114", "1700"},
      {"pg_catalog", "extract", "s", "25 1184", "1700"},
      {"pg_catalog", "extract", "i", "25 1082", "1700"},
      {"pg_catalog", "timezone", "i", "25 1114", "1184"},
      {"pg_catalog", "timezone", "i", "25 1184", "1114"},
      {"pg_catalog", "timezone", "s", "25 1266", "1266"},
      {"pg_catalog", "timezone", "i", "1186 1184", "1114"},
      {"pg_catalog", "to_timestamp", "i", "701", "1184"},
      {"pg_catalog", "to_timestamp", "s", "25 25", "1184"},
      {"pg_catalog", "generate_series", "i", "23 23", "23"},
      {"pg_catalog", "generate_series", "i", "23 23 23", "23"},
      {"pg_catalog", "generate_series", "i", "1114 1114 1186", "1114"},
      {"pg_catalog", "generate_series", "s", "1184 1184 1186", "1184"},
      {"pg_catalog", "quote_literal", "i", "25", "25"},
      {"pg_catalog", "quote_literal", "s", "2283", "25"},
      {"app", "f", "i", "25 1114"},
      {"app", "f", "v", "25 1184"},
      {"app", "poly", "i", "16"},
      {"app", "poly", "v", "2283"},
      {"app", "spread", "i", "1115", "0", "0", "t"},
      {"app", "spread", "v", "1186"},
      {"app", "listed", "i", "2277 1114"},
      {"app", "listed", "v", "25 1184"},
      {"app", "named", "i", "1114 23"},
      {"app", "named", "v", "1184 23"},
      {"app", "same_type", "i", "2283 1114"},
      {"app", "same_type", "v", "1184 1114"},
      {"app", "same_type", "v", "2283 1184"},
      {"app", "many", "i", "1114"},
      {"app", "many", "i", "1114 1114"},
      {"app", "many", "v", "1115", "0", "0", "t"},
      {"app", "several", "i", "1114 1114"},
      {"app", "several", "v", "25 1115", "0", "0", "t"},
      {"app", "given", "i", "1114"},
      {"app", "given", "v", "1184 23", "0", "1"},
      {"app", "stamped", "v", "9001"},
      {"app", "stamped", "i", "1114"},
      {"a", "pick", "i", "1114"},
      {"b", "pick", "v", "1184"},
      {"app", "wide", "i", "701"},
      {"app", "wide", "v", "700"},
      {"app", "coded", "i", "25 25"},
      {"app", "coded", "v", "1043 16"},
  };
  for (const Function& function : functions) Add(rows, function);
  Add(rows, {"pg_catalog", "lower", "i", "25"});
  Of(rows, CatalogQuery::kOverloads).pop_back();
  return rows;
}

char Letter(std::optional<Volatility> volatility) {
  if (!volatility) return '?';
  return *volatility == Volatility::kImmutable ? 'i'
         : *volatility == Volatility::kStable  ? 's'
                                               : 'v';
}

// Of the statement's functions in order.
std::string Letters(const Catalog& catalog, std::string_view sql) {
  const Facts facts = test::FactsOf(sql);
  EXPECT_EQ(facts.not_understood, "") << sql;
  std::string letters;
  for (const CalledFunction& called : FunctionsCalled(facts.statements.at(0), catalog)) {
    letters += Letter(called.volatility);
  }
  return letters;
}

using Cases = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void Expect(const Catalog& catalog, Cases cases) {
  for (const auto& [sql, letters] : cases) EXPECT_EQ(Letters(catalog, sql), letters) << sql;
}

void Expect(Cases cases) { Expect(*Catalog::FromRows(Sample()).value(), cases); }

TEST(CallVolatility, IsThatOfTheOverloadForTheColumnsType) {
  Expect({
      {"SELECT date_trunc('day', ts) FROM t", "i"},
      {"SELECT date_trunc('day', tz) FROM t", "s"},
      {"SELECT date_trunc('day', ts), date_trunc('day', tz) FROM t", "s"},
      {"SELECT pg_catalog.date_trunc('day', ts) FROM t", "i"},
      {"SELECT extract(year FROM ts), extract(day FROM d) FROM t", "i"},
      {"SELECT extract(year FROM tz) FROM t", "s"},
      {"SELECT ts FROM t GROUP BY ts HAVING count(*) > 1 ORDER BY date_trunc('day', ts)", "?i"},
      {"SELECT ts AT TIME ZONE 'UTC', tz AT TIME ZONE 'UTC' FROM t", "i"},
      {"SELECT app.f('x', ts) FROM t", "i"},
      {"SELECT f('x', ts) FROM t", "i"},
      {"SELECT f('x', tz) FROM t", "v"},
      {"SELECT lower(txt) FROM t", "i"},
      {"SELECT nothing(txt) FROM t", "?"},
  });
}

TEST(CallVolatility, CountsArguments) {
  Expect({
      {"SELECT age(ts) FROM t", "s"},
      {"SELECT age(ts, tz) FROM t", "i"},
      {"SELECT to_timestamp(1)", "i"},
      {"SELECT to_timestamp($1)", "i"},
      {"SELECT to_timestamp('a', 'b')", "s"},
      {"SELECT * FROM generate_series(1, 3)", "i"},
      {"SELECT date_trunc('day', ts, 'UTC') FROM t", "s"},
      // None takes so many.
      {"SELECT age(1, 2, 3)", "s"},
      {"SELECT age()", "s"},
  });
}

TEST(CallVolatility, IsTheGreatestWhereATypeIsInDoubt) {
  Expect({
      {"SELECT date_trunc('day', '2026-01-01')", "s"},
      {"SELECT date_trunc('day', NULL)", "s"},
      {"SELECT date_trunc('day', $1)", "s"},
      {"SELECT date_trunc('day', ts + '1 day') FROM t", "s"},
      {"SELECT date_trunc('day', coalesce(ts, ts)) FROM t", "s"},
      {"SELECT date_trunc('day', (SELECT ts FROM t))", "s"},
      {"SELECT date_trunc('day', (t).ts) FROM t", "s"},
      {"SELECT date_trunc('day', t) FROM t", "s"},
      {"SELECT date_trunc('day', t.*) FROM t", "s"},
      {"SELECT date_trunc('day', d) FROM t", "s"},
      {"SELECT date_trunc('day', x) FROM t", "s"},
      {"SELECT date_trunc('day', ts)", "s"},
      {"SELECT * FROM generate_series(1, 10, 2)", "s"},
      {"SELECT date_trunc(field => 'day', source => ts) FROM t", "s"},
      {"SELECT many(VARIADIC ARRAY[ts]) FROM t", "v"},
      {"SELECT named(ts, 1) FROM t", "i"},
      {"SELECT named(ts, b => 1) FROM t", "v"},
      {"SELECT f('x', ts) WITHIN GROUP (ORDER BY ts) FROM t", "v"},
  });
}

// What has an argument's type isn't certain where another's type isn't known, unless that one is
// the same for all.
TEST(CallVolatility, OneArgumentMayBeUnknown) {
  Expect({
      {"SELECT date_trunc($1, ts) FROM t", "i"},
      {"SELECT date_trunc(lower(txt), ts) FROM t", "ii"},
      {"SELECT date_trunc(vc, ts) FROM t", "i"},
      {"SELECT tz AT TIME ZONE $1 FROM t", "i"},
      {"SELECT generate_series(ts, ts, $1) FROM t", "i"},
      {"SELECT generate_series(ts, $1, interval '1 day') FROM t", "s"},
      {"SELECT generate_series(ts, NULL, interval '1 day') FROM t", "i"},
      {"SELECT coded(txt, $1) FROM t", "v"},
      {"SELECT coded(txt, 'x') FROM t", "i"},
      {"SELECT coded(vc, 'x') FROM t", "v"},
  });
}

TEST(CallVolatility, CastsAndConstantsHaveTypes) {
  Expect({
      {"SELECT date_trunc('day', $1::timestamp)", "i"},
      {"SELECT date_trunc('day', $1::timestamp(3) without time zone)", "i"},
      {"SELECT date_trunc('day', CAST(tz AS timestamp)) FROM t", "i"},
      {"SELECT date_trunc('day', $1::timestamptz)", "s"},
      {"SELECT date_trunc('day', timestamp '2026-01-01')", "i"},
      {"SELECT date_trunc('day', interval '1 day')", "i"},
      {"SELECT date_trunc('day', $1::pg_catalog.timestamp)", "i"},
      {"SELECT date_trunc('day', $1::app.timestamp)", "s"},
      {"SELECT date_trunc('day', $1::timestamp[])", "s"},
      {"SELECT poly(true)", "i"},
      {"SELECT poly(n) FROM t", "v"},
      {"SELECT poly('t'::bool)", "i"},
      {"SELECT extract(day FROM $1::date)", "i"},
      {"SELECT wide($1::float)", "i"},
      {"SELECT wide($1::double precision)", "i"},
      // float(30) is a double precision.
      {"SELECT wide($1::float(30))", "v"},
      {"SELECT wide($1::float(3))", "v"},
  });
  CatalogRows rows = Sample();
  Of(rows, CatalogQuery::kTypes).push_back({"1082", ""});
  Expect(*Catalog::FromRows(rows).value(),
         {
             {"SELECT extract(day FROM $1::date)", "s"},
             {"SELECT extract(day FROM $1::pg_catalog.date)", "i"},
             {"SELECT extract(day FROM d) FROM t", "i"},
         });
}

TEST(CallVolatility, CallsWithinCallsHaveTypes) {
  Expect({
      {"SELECT date_trunc('day', tz AT TIME ZONE 'UTC') FROM t", "ii"},
      {"SELECT date_trunc('day', ts AT TIME ZONE 'UTC') FROM t", "si"},
      {"SELECT date_trunc('day', date_trunc('hour', ts)) FROM t", "i"},
      {"SELECT date_trunc('day', date_trunc('hour', $1)) FROM t", "s"},
      // It may be a cast.
      {"SELECT date_trunc('day', age(ts)) FROM t", "ss"},
      {"SELECT date_trunc('day', age(ts, ts)) FROM t", "ii"},
  });
}

TEST(CallVolatility, OverloadsMayTakeMoreOrFewerArguments) {
  Expect({
      {"SELECT many(ts) FROM t", "v"},
      {"SELECT many(ts, ts) FROM t", "v"},
      {"SELECT several(ts, ts) FROM t", "v"},
      {"SELECT several(ts) FROM t", "v"},
      {"SELECT several()", "v"},
      {"SELECT spread(list) FROM t", "v"},
      {"SELECT listed('x', ts) FROM t", "v"},
      {"SELECT given(ts) FROM t", "i"},
      {"SELECT given(tz) FROM t", "v"},
      {"SELECT given(ts, 1) FROM t", "v"},
      {"SELECT quote_literal(txt) FROM t", "i"},
      {"SELECT quote_literal(vc) FROM t", "s"},
      {"SELECT quote_literal(ts) FROM t", "s"},
      // Whether anyelement takes the first isn't known.
      {"SELECT same_type($1, ts) FROM t", "v"},
      {"SELECT same_type(d, ts) FROM t", "v"},
  });
}

TEST(CallVolatility, DomainsAreMatchedByWhatTheyAreMadeOf) {
  Expect({
      {"SELECT date_trunc('day', dom), date_trunc('day', deep) FROM t", "i"},
      {"SELECT stamped(ts) FROM t", "i"},
      {"SELECT stamped(dom) FROM t", "v"},
      {"SELECT stamped(deep) FROM t", "i"},
  });
}

// search_path is the session's.
TEST(CallVolatility, AnOverloadElsewhereMayNotBeSeen) {
  Expect({
      {"SELECT pick(ts) FROM t", "v"},
      {"SELECT a.pick(ts) FROM t", "i"},
      {"SELECT b.pick(ts) FROM t", "v"},
  });
  const auto with = [](const Function& function) {
    CatalogRows rows = Sample();
    Add(rows, function);
    return Catalog::FromRows(rows).value();
  };
  Expect(*with({"app", "date_trunc", "v", "25 1114"}),
         {{"SELECT date_trunc('day', ts) FROM t", "v"},
          {"SELECT date_trunc('day', tz) FROM t", "s"},
          {"SELECT pg_catalog.date_trunc('day', ts) FROM t", "i"}});
  Expect(
      *with({"app", "date_trunc", "v", "25 1184"}),
      {{"SELECT date_trunc('day', ts) FROM t", "i"}, {"SELECT date_trunc('day', tz) FROM t", "v"}});
  Expect(*with({"app", "date_trunc", "i", "25 1082"}),
         {{"SELECT date_trunc('day', d) FROM t", "s"},
          {"SELECT app.date_trunc('day', d) FROM t", "i"}});
}

TEST(CallVolatility, AColumnIsThatOfTheNearestFromThatHasIt) {
  Expect({
      {"SELECT date_trunc('day', t.ts) FROM t, u", "i"},
      {"SELECT date_trunc('day', u.ts) FROM t, u", "s"},
      {"SELECT date_trunc('day', x.ts) FROM t AS x, u AS t", "i"},
      {"SELECT date_trunc('day', t.ts) FROM t AS x, u AS t", "s"},
      {"SELECT date_trunc('day', public.t.ts) FROM public.t", "i"},
      {"SELECT date_trunc('day', ts) FROM t WHERE EXISTS (SELECT FROM u WHERE u.ts = tz)", "i"},
      {"SELECT FROM t WHERE EXISTS (SELECT date_trunc('day', ts) FROM u)", "s"},
      {"SELECT FROM u WHERE EXISTS (SELECT date_trunc('day', ts) FROM t)", "i"},
      {"SELECT FROM u WHERE EXISTS (SELECT date_trunc('day', t.ts) FROM t)", "i"},
      {"SELECT FROM t x WHERE EXISTS (SELECT date_trunc('day', x.ts) FROM u)", "i"},
      {"SELECT FROM t WHERE EXISTS (SELECT date_trunc('day', dom) FROM u)", "i"},
      {"SELECT date_trunc('day', ts) FROM t UNION SELECT ts FROM u", "i"},
      {"SELECT ts FROM t UNION SELECT date_trunc('day', ts) FROM u", "s"},
      {"SELECT * FROM t, LATERAL (SELECT date_trunc('day', dom)) y", "i"},
      {"SELECT * FROM t, date_trunc('day', dom)", "i"},
      {"SELECT * FROM t, date_trunc('day', t.tz)", "s"},
      {"SELECT * FROM t JOIN u ON date_trunc('day', t.ts) = u.ts", "i"},
      {"SELECT * FROM t JOIN u ON date_trunc('day', u.ts) = u.ts", "s"},
      {"SELECT * FROM t JOIN u ON date_trunc('day', dom) = u.ts", "i"},
      {"WITH y AS (SELECT date_trunc('day', ts) FROM t) SELECT * FROM y", "i"},
  });
}

TEST(CallVolatility, AColumnIsInDoubtWhereItMayBeAnothers) {
  Expect({
      {"SELECT date_trunc('day', ts) FROM t, u", "s"},
      {"SELECT date_trunc('day', ts) FROM u, t", "s"},
      {"SELECT date_trunc('day', t.ts) FROM b.t, a.t", "s"},
      {"SELECT date_trunc('day', ts) FROM t JOIN u USING (ts)", "s"},
      {"SELECT date_trunc('day', ts) FROM t NATURAL JOIN u", "s"},
      {"SELECT date_trunc('day', ts) FROM t, lower('x') y", "is"},
      {"SELECT date_trunc('day', t.ts) FROM t, lower('x') y", "ii"},
      {"SELECT date_trunc('day', ts) FROM (SELECT tz AS ts FROM t) y", "s"},
      {"SELECT date_trunc('day', ts) FROM t x(a, ts)", "s"},
      {"SELECT date_trunc('day', x.ts) FROM t x(a, ts)", "s"},
      {"SELECT date_trunc('day', x.ts) FROM (t JOIN u USING (n)) AS x", "s"},
      {"SELECT date_trunc('day', t.ts) FROM (t JOIN t z USING (n)) AS x, u AS t", "s"},
      {"SELECT date_trunc('day', z.ts) FROM t JOIN t x USING (ts) AS z", "s"},
      {"SELECT FROM u z WHERE EXISTS (SELECT f('', z.ts) FROM (t JOIN t z USING (n)) AS x)", "v"},
      {"WITH t AS (SELECT tz AS ts FROM u) SELECT date_trunc('day', ts) FROM t", "s"},
      {"WITH t AS (SELECT tz AS ts FROM u) SELECT date_trunc('day', t.ts) FROM t", "s"},
      {"SELECT date_trunc('day', ts) FROM twin", "s"},
      {"SELECT date_trunc('day', ts) FROM a.twin", "i"},
      {"SELECT date_trunc('day', ts) FROM same", "i"},
      {"SELECT date_trunc('day', half) FROM halved", "s"},
      {"SELECT date_trunc('day', a.same.ts) FROM same", "s"},
      {"SELECT date_trunc('day', ts) FROM t, nowhere", "s"},
      {"SELECT date_trunc('day', ts) FROM t, s", "s"},
      {"SELECT date_trunc('day', ts) FROM t, pg_class", "s"},
      {"SELECT date_trunc('day', xmin) FROM t", "s"},
      // The nearer one isn't known.
      {"SELECT FROM t WHERE EXISTS (SELECT date_trunc('day', ts) FROM (SELECT 1) x)", "s"},
      {"SELECT FROM t x WHERE EXISTS (SELECT date_trunc('day', x.ts) FROM lower('x'))", "is"},
      // A join's condition sees what is joined, and then what is around the query.
      {"SELECT FROM u x WHERE EXISTS (SELECT FROM a.twin JOIN t ON f('', x.ts) = 1, t x)", "v"},
      {"SELECT FROM t x WHERE EXISTS (SELECT FROM a.twin JOIN u ON f('', x.ts) = 1, u x)", "i"},
      {"SELECT FROM u x WHERE EXISTS (SELECT FROM t x, a.twin JOIN t ON f('', x.ts) = 1)", "v"},
      // A sub-select without LATERAL doesn't see what stands before it.
      {"SELECT FROM u x WHERE EXISTS (SELECT FROM t x, (SELECT f('', x.ts)) y)", "v"},
      {"SELECT FROM u x WHERE EXISTS (SELECT FROM t x, LATERAL (SELECT f('', x.ts)) y)", "i"},
      {"SELECT FROM u x WHERE EXISTS (WITH y AS (SELECT f('', x.ts)) SELECT FROM t x, y)", "v"},
      {"INSERT INTO t SELECT date_trunc('day', ts) FROM t", "i"},
      {"UPDATE t SET ts = date_trunc('day', ts)", "s"},
      {"DELETE FROM t WHERE ts < date_trunc('day', ts)", "s"},
  });
}

TEST(CallVolatility, DecidesWhetherASessionMayChange) {
  CatalogRows rows = Sample();
  Add(rows, {"public", "uuid_for", "v", "1184"});
  Of(rows, CatalogQuery::kFunctions).back()[4] = "uuid-ossp";
  Add(rows, {"public", "uuid_for", "i", "1114"});
  Add(rows, {"app", "length", "v", "1184"});
  Add(rows, {"pg_catalog", "length", "i", "25"});
  const CatalogRef catalog = Catalog::FromRows(rows).value();
  using enum SessionVerdict;
  const std::pair<std::string_view, SessionVerdict> cases[] = {
      {"SELECT f('x', ts) FROM t", kNo},
      {"SELECT f('x', tz) FROM t", kCallsVolatile},
      {"SELECT f('x', $1)", kCallsVolatile},
      {"SELECT f('x', ts), f('x', tz) FROM t", kCallsVolatile},
      {"SELECT f('x', ts), poly(n) FROM t", kCallsVolatile},
      {"SELECT f(1, 2, 3)", kCallsVolatile},
      {"SELECT pick(ts) FROM t", kCallsVolatile},
      {"SELECT uuid_for(tz) FROM t", kNo},
      {"SELECT length(txt) FROM t", kNo},
      {"SELECT length(tz) FROM t", kCallsVolatile},
      {"SELECT pg_catalog.length(tz) FROM t", kNo},
      {"INSERT INTO t SELECT f('x', ts) FROM t", kNo},
      {"UPDATE t SET n = f('x', ts)", kCallsVolatile},
      {"SELECT f('x', ts), nothing() FROM t", kUnknownName},
  };
  for (const auto& [sql, expected] : cases) {
    const Facts facts = test::FactsOf(sql);
    EXPECT_EQ(Describe(catalog->MayChangeSession(facts.statements.at(0))), Describe(expected))
        << sql;
  }
}

TEST(CallVolatility, DecidesWhatIsAReadAndRepeats) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  const auto verdicts = [&](std::string_view sql) {
    const Facts facts = test::FactsOf(sql);
    const StatementFacts& statement = facts.statements.at(0);
    return std::string(JudgeRead(statement, *catalog) == ReadVerdict::kRead ? "read" : "") +
           (JudgeRepeat(statement, *catalog) == RepeatVerdict::kSame ? " same" : "");
  };
  EXPECT_EQ(verdicts("SELECT date_trunc('day', ts) FROM t"), "read same");
  EXPECT_EQ(verdicts("SELECT date_trunc('day', tz) FROM t"), "read");
  EXPECT_EQ(verdicts("SELECT f('x', ts) FROM t"), "read same");
  EXPECT_EQ(verdicts("SELECT f('x', tz) FROM t"), "");
  EXPECT_EQ(verdicts("SELECT ts FROM v"), "read same");
  EXPECT_EQ(verdicts("SELECT date_trunc('day', ts) FROM v"), "read same");
  EXPECT_EQ(verdicts("SELECT ts FROM late"), "read");
}

// Facts stay small, whatever a text calls.
TEST(CallVolatility, OfVeryManyCallsIsTheGreatest) {
  const CatalogRef catalog = Catalog::FromRows(Sample()).value();
  std::string sql = "SELECT date_trunc('day', ts)";
  for (int i = 0; i < 1000; ++i) sql += ", f('x', c" + std::to_string(i) + ")";
  const Facts many = test::FactsOf(sql + ", date_trunc('day', t.ts) FROM t");
  EXPECT_EQ(many.statements.at(0).calls.size(), StatementFacts::kMaxCalls + 2);
  EXPECT_EQ(Letters(*catalog, sql + ", date_trunc('day', t.ts) FROM t"), "sv");
  EXPECT_EQ(Letters(*catalog, sql + ", date_trunc('day', ts) FROM t"), "sv");
  EXPECT_EQ(Letters(*catalog, "SELECT app.many(1, 2, 3, 4, 5, 6, 7, 8, 9)"), "v");
  sql = "SELECT date_trunc('day', t.ts) FROM t";
  for (int i = 0; i < 63; ++i) sql += ", u AS u" + std::to_string(i);
  EXPECT_EQ(Letters(*catalog, sql), "i");
  EXPECT_EQ(Letters(*catalog, sql + ", u"), "s");
  sql = "SELECT date_trunc('day', t.ts)";
  for (int i = 0; i < 7; ++i) sql = "SELECT (" + sql + ") FROM u";
  EXPECT_EQ(Letters(*catalog, "SELECT (" + sql + ") FROM t"), "s");
  EXPECT_EQ(Letters(*catalog, sql.substr(0, sql.rfind('u')) + "t"), "i");
  sql = "SELECT ";
  for (int i = 0; i < 1000; ++i) sql += "date_trunc('day', ts), ";
  const Facts same = test::FactsOf(sql + "1 FROM t");
  EXPECT_EQ(same.statements.at(0).calls.size(), 1u);
  EXPECT_EQ(same.statements.at(0).call_columns.size(), 1u);
}

}  // namespace
}  // namespace pgweir::router
