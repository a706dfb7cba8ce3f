#include "router/digest_text.h"

#include <gtest/gtest.h>

#include "router/text_hash.h"

namespace pgweir::router {
namespace {

std::string Digest(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  return std::string(DigestText().Make(scan));
}

TEST(DigestText, NumbersLiteralsAndParametersAlike) {
  EXPECT_EQ(Digest("SELECT a FROM T WHERE b = 'x' AND c = 5 AND d = $7"),
            "select a from t where b = $1 and c = $2 and d = $3");
}

TEST(DigestText, TakesEverySpellingOfALiteral) {
  for (const char* literal :
       {"'it''s'", "E'a\\'b'", "U&'\\0061'", "U&'!0061' UESCAPE '!'", "$$x$$", "$tag$ '; -- $tag$",
        "B'01'", "X'1F'", "1", "1.5e-3", ".5", "$1", "-1", "- 1", "+1", "'a'\n'b'"}) {
    EXPECT_EQ(Digest(std::string("SELECT f(") + literal + ")"), "select f($1)") << literal;
  }
}

TEST(DigestText, IsTheSameHoweverTheTextIsLaidOut) {
  const std::string one = Digest("SELECT a.b,c FROM t WHERE x=1 AND y::int>2;");
  EXPECT_EQ(one, "select a.b, c from t where x = $1 and y::int > $2");
  EXPECT_EQ(
      Digest("select  a . b , c\nfrom T -- why\nwhere x = 1 /* a /* b */ */ and y :: int>2 ; ;"),
      one);
}

TEST(DigestText, FoldsInListsOfAnyLength) {
  const std::string one = Digest("SELECT 1 FROM t WHERE a IN (1)");
  EXPECT_EQ(one, "select $1 from t where a in ($2, ...)");
  for (const char* list : {"(1, 2)", "($1,$2,$3)", "('a', NULL, -5)", "(-1)", "(1, true)"}) {
    EXPECT_EQ(Digest(std::string("SELECT 1 FROM t WHERE a IN ") + list), one) << list;
  }
  EXPECT_EQ(Digest("a IN ($1::uuid, $2::uuid) AND b = 1"), "a in ($1::uuid, ...) and b = $2");
  EXPECT_EQ(Digest("(a, b) IN ((1, 2), (3, 4))"), "(a, b) in (($1, $2), ...)");
  EXPECT_EQ(Digest("a in (date '2020-01-01', date '2020-01-02')"), "a in (date $1, ...)");
  EXPECT_EQ(Digest("a in (1::numeric(10,2)[], 2)"), "a in ($1::numeric($2, $3)[], ...)");
}

TEST(DigestText, KeepsInListsThatAreNotConstant) {
  EXPECT_EQ(Digest("a IN (SELECT b FROM c WHERE d = 1)"), "a in (select b from c where d = $1)");
  EXPECT_EQ(Digest("a IN (b, 1, 2)"), "a in (b, $1, $2)");
  EXPECT_EQ(Digest("a IN (1, f(2))"), "a in ($1, f($2))");
  EXPECT_EQ(Digest("a IN (1, 2 + 3)"), "a in ($1, $2 + $3)");
  EXPECT_EQ(Digest("a IN ()"), "a in ()");
}

TEST(DigestText, FoldsArraysOfAnyLength) {
  EXPECT_EQ(Digest("SELECT ARRAY[1,2,3]"), "select array[$1, ...]");
  EXPECT_EQ(Digest("SELECT ARRAY[1]::int[]"), "select array[$1, ...]::int[]");
  EXPECT_EQ(Digest("a = ANY(ARRAY['x','y'])"), "a = any (array[$1, ...])");
  EXPECT_EQ(Digest("ARRAY[[1,2],[3,4]]"), "array[[$1, $2], ...]");
  EXPECT_EQ(Digest("ARRAY[a, 1]"), "array[a, $1]");
  EXPECT_EQ(Digest("a = ANY($1)"), "a = any ($1)");
}

TEST(DigestText, FoldsRowsOfValuesOfAnyNumber) {
  const std::string one = Digest("INSERT INTO t (a, b) VALUES (1, 'x')");
  EXPECT_EQ(one, "insert into t(a, b) values ($1, $2), ...");
  EXPECT_EQ(Digest("INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL), (DEFAULT, $1)"), one);
  EXPECT_EQ(Digest("INSERT INTO t (a, b) VALUES (NULL, DEFAULT), (2, now())"), one);
  EXPECT_EQ(Digest("VALUES (1, now()), (2, now()) RETURNING 1"),
            "values ($1, now()), ... returning $2");
  EXPECT_EQ(Digest("VALUES (1), ((SELECT 2)), (3)"), "values ($1), ..., ((select $2)), ($3)");
  EXPECT_EQ(Digest("SELECT * FROM (VALUES (1, 2), (3, 4)) v WHERE a IS NULL"),
            "select * from (values ($1, $2), ...) v where a is null");
  EXPECT_EQ(Digest("VALUES (1, a IN (1, 2)), (2, true)"), "values ($1, a in ($2, ...)), ...");
}

TEST(DigestText, TellsASignFromAnOperator) {
  EXPECT_EQ(Digest("SELECT -1"), "select $1");
  EXPECT_EQ(Digest("SELECT a -1, a - 1, 3-1"), "select a - $1, a - $2, $3 - $4");
  EXPECT_EQ(Digest("SELECT a * -1, a - -1, (-1), x[-1]"), "select a * $1, a - $2, ($3), x[$4]");
  EXPECT_EQ(Digest("LIMIT -1"), Digest("LIMIT 1"));
  EXPECT_EQ(Digest("SELECT -a, -$1"), "select - a, - $1");
}

TEST(DigestText, KeepsOperatorsThatLookLikePlaceholders) {
  EXPECT_EQ(Digest("SELECT data ? 'a', data ?| ARRAY['b'], data->>'c'"),
            "select data ? $1, data ?| array[$2, ...], data ->> $3");
}

TEST(DigestText, KeepsNamesAsTheGrammarHasThem) {
  EXPECT_EQ(Digest("SELECT \"A b\", A, U&\"d!0061t\" UESCAPE '!', U&\"x\" = 'lit'"),
            "select \"A b\", a, U&\"d!0061t\" uescape '!', U&\"x\" = $1");
  EXPECT_NE(Digest("SELECT \"A\""), Digest("SELECT \"a\""));
}

TEST(DigestText, LeavesOutWhatSetSets) {
  EXPECT_EQ(Digest("SET LOCAL app.tenant = secretword"), "set local app.tenant = $1");
  EXPECT_EQ(Digest("SET search_path TO a, b; SELECT 1"), "set search_path to $1; select $2");
  EXPECT_EQ(Digest("SET TIME ZONE 'UTC'"), "set time zone $1");
  EXPECT_EQ(Digest("SET ROLE admin"), "set role admin");
  EXPECT_EQ(Digest("SET TRANSACTION READ ONLY"), "set transaction read only");
  EXPECT_EQ(Digest("UPDATE t SET a = b"), "update t set a = b");
}

TEST(DigestText, LeavesOutNamesThatLiveShort) {
  EXPECT_EQ(Digest("SAVEPOINT s1"), "savepoint $1");
  EXPECT_EQ(Digest("RELEASE SAVEPOINT s1"), "release savepoint $1");
  EXPECT_EQ(Digest("ROLLBACK TO s1"), "rollback to $1");
  EXPECT_EQ(Digest("ROLLBACK"), "rollback");
  EXPECT_EQ(Digest("DECLARE c1 CURSOR FOR SELECT a"), "declare $1 cursor for select a");
  EXPECT_EQ(Digest("FETCH 100 FROM c1"), "fetch $1 from $2");
  EXPECT_EQ(Digest("CLOSE ALL"), "close all");
  EXPECT_EQ(Digest("DEALLOCATE PREPARE s1"), "deallocate prepare $1");
}

TEST(DigestText, HasNothingOfALiteral) {
  for (const char* sql : {
           "ALTER ROLE a PASSWORD 'hunter2'",
           "CREATE USER MAPPING FOR a SERVER s OPTIONS (password 'hunter2')",
           "DO $$ BEGIN PERFORM 'hunter2'; END $$",
           "SELECT 1; SET app.x = hunter2; SELECT 'hunter2'",
           "COPY t FROM PROGRAM 'hunter2'",
           "SELECT 'hunter2",
           "SELECT $a$hunter2",
           "SELECT E'\\'hunter2'",
       }) {
    EXPECT_EQ(Digest(sql).find("hunter2"), std::string::npos) << Digest(sql);
  }
}

TEST(DigestText, SaysThatItDoesNotKnowTheRest) {
  EXPECT_EQ(Digest("SELECT a, 'x"), "select a, ...");
  EXPECT_EQ(Digest(""), "");
  EXPECT_EQ(Digest(";;"), "");
  EXPECT_EQ(Digest("SELECT 1))"), "select $1))");
  EXPECT_EQ(Digest("a in (1, 2"), "a in ($1, $2");
  EXPECT_EQ(Digest("values (1, (2"), "values ($1, ($2");
}

TEST(DigestText, TellsLongStatementsApartByTheirEnds) {
  std::string columns;
  for (int i = 0; i < 20'000; ++i) columns += ", c" + std::to_string(i);
  EXPECT_NE(HashText(Digest("SELECT a" + columns + " FROM t1")),
            HashText(Digest("SELECT a" + columns + " FROM t2")));
}

// Each of these would take minutes if its time grew with the square, or end the process.
TEST(DigestText, TakesTimeInProportionWhateverIsNested) {
  for (const char* opening : {"(", "in (", "array[", "values (", "values (1, in (array["}) {
    std::string sql;
    for (int i = 0; i < 12'000; ++i) sql += opening;
    EXPECT_GE(Digest(sql).size(), 12'000u);
  }
  std::string closed;
  for (int i = 0; i < 12'000; ++i) closed += "in (";
  closed += "1" + std::string(12'000, ')');
  EXPECT_GT(Digest(closed).size(), 12'000u);
}

// Digests are written into configuration files.
TEST(DigestText, HasTheSameHashInEveryRelease) {
  EXPECT_EQ(HashText(Digest("SELECT * FROM t WHERE a IN (1, 2)")), 9804171307427909318u);
}

}  // namespace
}  // namespace pgweir::router
