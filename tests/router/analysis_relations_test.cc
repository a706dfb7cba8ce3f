// Relations, functions and conditions of a statement.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

using test::FactsOf;
using test::Joined;
using test::Relations;

TEST(AnalysisRelations, AreTablesAndViewsWhereverTheyStand) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT 1", ""},
      {"SELECT * FROM A, \"B\", s.c x", "a B s.c/x"},
      {"SELECT * FROM a JOIN b USING (i) LEFT JOIN c ON true", "a b c"},
      {"SELECT * FROM a WHERE i IN (SELECT j FROM b) ORDER BY (SELECT 1 FROM c)", "a b c"},
      {"SELECT (SELECT max(i) FROM a) FROM (SELECT * FROM b) s, LATERAL (SELECT * FROM c) t",
       "b c a"},
      {"TABLE a UNION SELECT * FROM b", "a b"},
      {"SELECT * FROM ONLY a TABLESAMPLE system (1)", "a"},
      {"SELECT * FROM a FOR UPDATE OF a", "a"},
      {"INSERT INTO a SELECT * FROM b RETURNING (SELECT 1 FROM c)", "a! b c"},
      {"INSERT INTO a VALUES ((SELECT 1 FROM b)) ON CONFLICT DO NOTHING", "a! b"},
      {"UPDATE a x SET i = (SELECT 1 FROM b) FROM c WHERE c.i = x.i", "a/x! c b"},
      {"DELETE FROM a USING b WHERE EXISTS (SELECT 1 FROM c)", "a! b c"},
      {"MERGE INTO a USING b ON a.i = b.i WHEN NOT MATCHED THEN INSERT VALUES (1)", "a! b"},
      {"COPY a FROM STDIN", "a!"},
      {"COPY a (i) TO STDOUT", "a"},
      {"COPY (SELECT * FROM a) TO STDOUT", "a"},
      {"SELECT * INTO a FROM b", "a! b"},
      {"CREATE TABLE a AS SELECT * FROM b", "a! b"},
      {"CREATE VIEW a AS SELECT * FROM b", "a! b"},
      {"ALTER TABLE a ADD i int", "a!"},
      {"DROP TABLE a, s.b", "a! s.b!"},
      {"TRUNCATE a, b", "a! b!"},
      {"LOCK TABLE a, b", "a b"},
      {"DECLARE c CURSOR FOR SELECT * FROM a", "a"},
      {"REFRESH MATERIALIZED VIEW a", "a!"},
      {"PREPARE p AS UPDATE a SET i = $1", "a!"},
      {"CALL p((SELECT 1 FROM a))", "a"},
  };
  for (const auto& [sql, expected] : cases) {
    const Facts facts = FactsOf(sql);
    EXPECT_EQ(facts.not_understood, "") << sql;
    EXPECT_EQ(Relations(facts), expected) << sql;
  }
}

TEST(AnalysisRelations, CteNamesAreNone) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"WITH c AS (SELECT * FROM a) SELECT * FROM c, b", "a b"},
      {"WITH c AS (SELECT * FROM a) SELECT * FROM s.c", "a s.c"},
      // Without RECURSIVE a CTE doesn't see itself.
      {"WITH a AS (SELECT * FROM a) SELECT * FROM a", "a"},
      {"WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a", ""},
      {"WITH c AS (SELECT * FROM d), d AS (SELECT * FROM c) SELECT * FROM c, d", "d"},
      {"WITH RECURSIVE c AS (SELECT * FROM d), d AS (SELECT 1) SELECT * FROM c", ""},
      // Nor is it seen outside its query.
      {"SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) s, c", "c"},
      {"SELECT * FROM c WHERE EXISTS (WITH c AS (SELECT 1) SELECT * FROM c)", "c"},
      {"WITH c AS (SELECT 1) SELECT * FROM (SELECT * FROM (SELECT * FROM c) s) t", ""},
      {"WITH c AS (SELECT 1) (SELECT * FROM c) UNION SELECT * FROM c", ""},
      // What is written is never a CTE.
      {"WITH a AS (SELECT 1) INSERT INTO a SELECT * FROM a", "a!"},
      {"WITH a AS (SELECT 1) DELETE FROM a USING a b", "a!"},
      {"WITH w AS (INSERT INTO a VALUES (1) RETURNING *), x AS (UPDATE b SET i = 1) "
       "SELECT * FROM w",
       "a! b!"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(Relations(FactsOf(sql)), expected) << sql;
}

TEST(AnalysisFunctions, AreNamedOnceEach) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT f(g(1)), F(2), s.f(3), \"F\"(4)", "f g s.f F"},
      {"SELECT count(*) FILTER (WHERE f()) OVER (ORDER BY g()) FROM h() WITH ORDINALITY",
       "h count f g"},
      {"SELECT * FROM ROWS FROM (f(), g()) JOIN a ON h() LIMIT i()", "f g h i"},
      {"INSERT INTO a VALUES (f()) ON CONFLICT (g(i)) DO UPDATE SET i = h() RETURNING j()",
       "f g h j"},
      {"SELECT CASE WHEN f() THEN g() END, ARRAY[h()], (i()).x, j()::int", "f g h i j"},
      {"SELECT extract(year FROM now())", "pg_catalog.extract now"},
      {"SELECT * FROM a TABLESAMPLE s.m (f())", "s.m f"},
      {"CALL p(f())", "p f"},
      {"EXECUTE p(f())", "f"},
      {"DECLARE c CURSOR FOR SELECT f()", "f"},
      {"CREATE TABLE a AS SELECT f()", "f"},
      {"CREATE VIEW a AS SELECT f()", ""},
      {"CREATE TABLE a (i int DEFAULT f())", ""},
      {"ALTER TABLE a ADD i int DEFAULT f()", "f"},
      {"COPY (SELECT f()) TO STDOUT", "f"},
      {"EXPLAIN SELECT f()", ""},
      {"EXPLAIN ANALYZE SELECT f()", "f"},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Joined(FactsOf(sql).statements.at(0).functions), expected) << sql;
  }
}

// relation.column=operands, an operand as $n or as the literal is written; ? for no one relation.
std::string Conditions(const std::string& sql) {
  SqlScan scan;
  scan.Scan(sql);
  const Facts facts = Analyse(sql, scan);
  EXPECT_EQ(facts.not_understood, "") << sql;
  std::string text;
  for (const Condition& condition : facts.statements.at(0).conditions) {
    if (!text.empty()) text += ' ';
    text +=
        condition.relation < 0
            ? "?"
            : Joined(
                  {facts.statements[0].relations.at(static_cast<size_t>(condition.relation)).name});
    text += '.' + condition.column;
    text += condition.kind == Condition::Kind::kIn ? "@" : "=";
    for (const Condition::Operand& operand : condition.operands) {
      if (text.back() != '=' && text.back() != '@') text += ',';
      text += operand.literal < 0
                  ? '$' + std::to_string(operand.parameter)
                  : std::string(scan.literals()[static_cast<size_t>(operand.literal)].span.In(sql));
    }
  }
  return text;
}

TEST(AnalysisConditions, AreThoseThatAndConnects) {
  const std::pair<std::string, std::string> cases[] = {
      {"SELECT * FROM a WHERE x = 'v'", "a.x='v'"},
      {"SELECT * FROM a WHERE 5 = x AND (y = $2 AND z > 1)", "a.x=5 a.y=$2"},
      {"SELECT * FROM a WHERE x IN ('p', $1, 'q')", "a.x@'p',$1,'q'"},
      {"SELECT * FROM a WHERE x IN (1, y)", ""},
      {"SELECT * FROM a WHERE x NOT IN (1)", ""},
      {"SELECT * FROM a WHERE x = 1 OR y = 2", ""},
      {"SELECT * FROM a WHERE NOT x = 1", ""},
      {"SELECT * FROM a WHERE NOT (x = 1 AND y = 2) AND z = 3", "a.z=3"},
      {"SELECT * FROM a WHERE x <> 1 AND y < 2 AND z IS NULL", ""},
      {"SELECT * FROM a WHERE x + 1 = 2 AND lower(y) = 'v' AND x = y", ""},
      {"SELECT * FROM a WHERE x = 1 + 1 AND y = f(2)", ""},
      // The minus is part of the constant and not of the literal.
      {"SELECT * FROM a WHERE x = -1", ""},
      {"SELECT * FROM a WHERE x = NULL AND y = true", ""},
      {"SELECT * FROM a WHERE x = 'v'::text AND y = $1::varchar", "a.x='v' a.y=$1"},
      {"SELECT * FROM a WHERE x = 'v'::varchar(1) AND y = '1'::int AND z = $1::int", ""},
      {"SELECT * FROM a WHERE x OPERATOR(pg_catalog.=) 1 AND x == 1", ""},
      {"SELECT * FROM a WHERE x = ANY (ARRAY[1, 2])", ""},
      {"SELECT * FROM a WHERE (x, y) = (1, 2)", ""},
      {"SELECT * FROM a WHERE a.x = 1 AND s.a.y = 2", "a.x=1"},
      {"SELECT * FROM s.a WHERE a.x = 1 AND s.a.y = 2 AND t.a.z = 3", "s.a.x=1 s.a.y=2"},
      {"SELECT * FROM a b WHERE b.x = 1 AND a.y = 2", "a.x=1"},
      {"SELECT * FROM a WHERE \"X\" = 1 AND Y = 2", "a.X=1 a.y=2"},
      {"SELECT x = 1 FROM a GROUP BY x HAVING x = 2", ""},
      {"UPDATE a SET x = 1 WHERE y = 2", "a.y=2"},
      {"DELETE FROM a WHERE x = 'v'", "a.x='v'"},
      {"UPDATE a SET x = 1 FROM b WHERE a.x = 2 AND b.y = 3", "a.x=2 b.y=3"},
      {"SELECT * FROM a WHERE x = U&'v' UESCAPE '!' AND y = E'w' AND z = 1.5",
       "a.x=U&'v' UESCAPE '!' a.y=E'w' a.z=1.5"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(Conditions(sql), expected) << sql;
}

TEST(AnalysisConditions, BelongToARelationOfTheirOwnQuery) {
  const std::pair<std::string, std::string> cases[] = {
      {"SELECT * FROM a, b WHERE x = 1 AND a.y = 2 AND b.z = 3", "?.x=1 a.y=2 b.z=3"},
      {"SELECT * FROM a, b WHERE c.x = 1", ""},
      {"SELECT * FROM a JOIN b ON b.x = 1 AND y = 2 WHERE a.z = 3", "b.x=1 ?.y=2 a.z=3"},
      // Nothing on the side that an outer join may leave empty, nor its ON.
      {"SELECT * FROM a LEFT JOIN b ON b.x = 1 WHERE a.y = 2 AND b.z = 3 AND u = 4", "a.y=2"},
      {"SELECT * FROM a RIGHT JOIN b ON a.x = 1 WHERE a.y = 2 AND b.z = 3", "b.z=3"},
      {"SELECT * FROM a FULL JOIN b ON true WHERE a.y = 2 AND b.z = 3", ""},
      {"SELECT * FROM a LEFT JOIN (b JOIN c ON b.x = 1 AND c.y = 2) ON true", ""},
      {"SELECT * FROM (a JOIN b ON a.x = 1) LEFT JOIN c ON c.y = 2", "a.x=1"},
      {"SELECT * FROM (a JOIN b USING (i)) AS j WHERE j.x = 1 AND y = 2", ""},
      // A column without a qualifier may be another item's, or a surrounding query's.
      {"SELECT * FROM a, (SELECT 1 AS x) s WHERE x = 1 AND a.y = 2", "a.y=2"},
      {"SELECT * FROM a, f() WHERE x = 1", ""},
      {"WITH c AS (SELECT 1 AS x) SELECT * FROM a, c WHERE x = 1 AND a.y = 2 AND c.x = 3", "a.y=2"},
      {"WITH c AS (SELECT * FROM b WHERE y = 1) SELECT * FROM c WHERE x = 2", "b.y=1"},
      {"SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE a.x = 1 AND b.y = 2 AND z = 3)",
       "b.y=2 b.z=3"},
      {"SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM b, c WHERE x = 1 AND b.y = 2)", "b.y=2"},
      {"SELECT * FROM a WHERE x = 1 UNION SELECT * FROM b WHERE y = 2", "a.x=1 b.y=2"},
      {"SELECT * FROM a p JOIN a q ON p.i = q.i WHERE q.x = 1", "a.x=1"},
      {"INSERT INTO a SELECT * FROM b WHERE x = 1", "b.x=1"},
      {"MERGE INTO a USING b ON a.x = 1 AND b.y = 2 WHEN MATCHED THEN DELETE", ""},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(Conditions(sql), expected) << sql;
}

TEST(AnalysisConditions, SelfJoinsNameTheOccurrence) {
  const Facts facts = FactsOf("SELECT * FROM a p JOIN a q ON p.i = q.i WHERE q.x = 1");
  ASSERT_EQ(facts.statements[0].conditions.size(), 1u);
  EXPECT_EQ(facts.statements[0].conditions[0].relation, 1);
}

}  // namespace
}  // namespace pgweir::router
