// What each statement does to its session, by its grammar.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

using test::FactsOf;

// Their names are kinds of statements, too. Every definition also writes.
constexpr uint32_t kDefines = static_cast<uint32_t>(kDdl) + kWrites;
constexpr uint32_t kControls = pgweir::router::kTransaction;

struct Case {
  std::string_view sql;
  StatementKind kind;
  uint32_t effects;
};

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& expected : cases) {
    const Facts facts = FactsOf(expected.sql);
    EXPECT_EQ(facts.not_understood, "") << expected.sql;
    EXPECT_EQ(facts.effects, expected.effects) << expected.sql;
    EXPECT_EQ(facts.statements.at(0).effects, expected.effects) << expected.sql;
    EXPECT_EQ(facts.statements[0].kind, expected.kind) << expected.sql;
  }
}

TEST(Analysis, Queries) {
  using enum StatementKind;
  ExpectAll({
      {"SELECT 1", kSelect, 0},
      {"VALUES (1), (2)", kSelect, 0},
      {"TABLE t", kSelect, 0},
      {"(SELECT 1) UNION ALL SELECT 2", kSelect, 0},
      {"SELECT now(), random(), pg_notify('a', 'b'), pg_export_snapshot()", kSelect, 0},
      {"SELECT pg_stat_reset(), pg_terminate_backend(1), lo_open(1, 2)", kSelect, 0},
      {"SELECT * FROM t FOR UPDATE", kSelect, kLocks},
      {"SELECT * FROM t FOR SHARE OF t NOWAIT", kSelect, kLocks},
      {"SELECT * FROM (SELECT * FROM t FOR KEY SHARE) s", kSelect, kLocks},
      {"INSERT INTO t VALUES (1)", kInsert, kWrites},
      {"INSERT INTO t SELECT * FROM u ON CONFLICT (a) DO UPDATE SET b = 1", kInsert, kWrites},
      {"UPDATE t SET a = 1", kUpdate, kWrites},
      {"DELETE FROM t", kDelete, kWrites},
      {"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", kMerge, kWrites},
      {"WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", kSelect, kWrites},
      {"SELECT (WITH i AS (SELECT 1) SELECT * FROM i)", kSelect, 0},
      {"SELECT * INTO u FROM t", kSelect, kDefines},
      {"SELECT * INTO TEMP u FROM t", kSelect, kDefines | kTemporary},
      {"SELECT nextval('s')", kSelect, kWrites},
      {"SELECT pg_catalog.setval('s', 1)", kSelect, kWrites},
      {"SELECT currval('s')", kSelect, kSequenceState},
      {"SELECT LASTVAL()", kSelect, kSequenceState},
      {"INSERT INTO t VALUES (currval('s'))", kInsert, kWrites | kSequenceState},
      {"SELECT my.currval('s')", kSelect, 0},
      {"SELECT setseed(0.5)", kSelect, kUnseen},
      {"COPY t FROM STDIN", kCopy, kCopies | kWrites},
      {"COPY t FROM '/tmp/x'", kCopy, kWrites},
      {"COPY t FROM PROGRAM 'x'", kCopy, kWrites},
      {"COPY t TO STDOUT", kCopy, kCopies},
      {"COPY t TO '/tmp/x'", kCopy, 0},
      {"COPY (SELECT * FROM t) TO STDOUT WITH (FORMAT csv)", kCopy, kCopies},
      {"COPY (DELETE FROM t RETURNING *) TO STDOUT", kCopy, kCopies | kWrites},
      {"SHOW work_mem", kShow, 0},
      {"SHOW ALL", kShow, 0},
      {"", kEmpty, 0},
      {" /* nothing */ ;; -- at all", kEmpty, 0},
  });
}

TEST(Analysis, Settings) {
  using enum StatementKind;
  ExpectAll({
      {"SET work_mem = '1MB'", kSet, kSetsSetting},
      {"SET LOCAL work_mem = 1", kSet, kSetsSetting},
      {"SET SESSION work_mem TO DEFAULT", kSet, kSetsSetting},
      {"SET TIME ZONE 'UTC'", kSet, kSetsSetting},
      {"SET ROLE a", kSet, kSetsSetting},
      {"SET SESSION AUTHORIZATION DEFAULT", kSet, kSetsSetting},
      {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", kSet, 0},
      {"SET TRANSACTION SNAPSHOT '1'", kSet, 0},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", kSet, kSetsSetting},
      {"SET seed = 0.5", kSet, kSetsSetting | kUnseen},
      {"RESET work_mem", kSet, kSetsSetting},
      {"RESET ALL", kSet, kResetsAll},
      {"SET CONSTRAINTS ALL DEFERRED", kUtility, 0},
      {"SELECT set_config('a', 'b', false)", kSelect, kSetsSetting},
      {"SELECT current_setting('a')", kSelect, 0},
      {"ALTER ROLE a SET work_mem = 1", kDdl, kDefines},
      {"ALTER DATABASE a SET work_mem = 1", kDdl, kDefines},
      {"ALTER SYSTEM SET work_mem = 1", kDdl, kDefines},
      {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET work_mem = 1 AS 'x'", kDdl, kDefines},
  });
}

TEST(Analysis, PreparedStatements) {
  using enum StatementKind;
  ExpectAll({
      {"PREPARE p AS SELECT 1", kPrepare, kPrepares},
      {"PREPARE p (int) AS DELETE FROM t WHERE a = $1", kPrepare, kPrepares},
      {"EXECUTE p", kExecute, kExecutes},
      {"EXECUTE p (nextval('s'))", kExecute, kExecutes | kWrites},
      {"DEALLOCATE p", kDeallocate, kDeallocates},
      {"DEALLOCATE PREPARE p", kDeallocate, kDeallocates},
      {"DEALLOCATE ALL", kDeallocate, kDeallocatesAll},
      {"DEALLOCATE PREPARE ALL", kDeallocate, kDeallocatesAll},
      {"EXPLAIN EXECUTE p", kExplain, kExecutes},
      {"EXPLAIN ANALYZE EXECUTE p", kExplain, kExecutes},
      {"CREATE TABLE t AS EXECUTE p", kDdl, kDefines | kExecutes},
      {"CREATE TEMP TABLE t AS EXECUTE p", kDdl, kDefines | kExecutes | kTemporary},
      {"EXPLAIN CREATE TABLE t AS EXECUTE p", kExplain, kExecutes},
      {"DISCARD ALL", kDiscard, kDiscardsAll | kResetsAll | kDeallocatesAll},
      {"DISCARD TEMP", kDiscard, kReleases},
      {"DISCARD TEMPORARY", kDiscard, kReleases},
      {"DISCARD PLANS", kDiscard, 0},
      {"DISCARD SEQUENCES", kDiscard, 0},
  });
}

TEST(Analysis, WhatPinsASession) {
  using enum StatementKind;
  ExpectAll({
      {"LISTEN a", kListen, kListens},
      {"UNLISTEN *", kListen, kReleases},
      {"NOTIFY a, 'b'", kListen, 0},
      {"SELECT pg_advisory_lock(1)", kSelect, kAdvisoryLock},
      {"SELECT pg_catalog.pg_advisory_lock_shared(1, 2)", kSelect, kAdvisoryLock},
      {"SELECT pg_try_advisory_lock(id) FROM t", kSelect, kAdvisoryLock},
      {"SELECT pg_try_advisory_lock_shared(1)", kSelect, kAdvisoryLock},
      {"SELECT pg_advisory_unlock(1), pg_advisory_unlock_shared(2)", kSelect, kReleases},
      {"SELECT pg_advisory_unlock_all()", kSelect, kReleases},
      {"SELECT pg_advisory_xact_lock(1)", kSelect, 0},
      {"SELECT my.pg_advisory_lock(1)", kSelect, 0},
      {"SELECT * FROM t WHERE EXISTS (SELECT pg_advisory_lock(1))", kSelect, kAdvisoryLock},
      {"CREATE TEMP TABLE t (a int)", kDdl, kDefines | kTemporary},
      {"CREATE TEMPORARY VIEW v AS SELECT 1", kDdl, kDefines | kTemporary},
      {"CREATE TEMP SEQUENCE s", kDdl, kDefines | kTemporary},
      {"CREATE TEMP TABLE t AS SELECT 1", kDdl, kDefines | kTemporary},
      {"CREATE LOCAL TEMP TABLE t (a int)", kDdl, kDefines | kTemporary},
      {"CREATE TABLE pg_temp.t (a int)", kDdl, kDefines | kTemporary},
      {"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS ''", kDdl, kDefines | kTemporary},
      {"CREATE TYPE \"pg_temp\".e AS ENUM ('a')", kDdl, kDefines | kTemporary},
      {"SELECT * FROM pg_temp_3.t", kSelect, kTemporary},
      {"SELECT U&\"pg\\005ftemp\".f(), 1 FROM U&\"pg\\005ftemp\".t", kSelect, kTemporary},
      {"SELECT pg_temp.f()", kSelect, kTemporary},
      {"SET search_path = pg_temp, public", kSet, kSetsSetting | kTemporary},
      {"DROP TABLE t", kDdl, kDefines | kReleases},
      {"DROP VIEW IF EXISTS t CASCADE", kDdl, kDefines | kReleases},
      {"DROP SEQUENCE t", kDdl, kDefines | kReleases},
      {"DROP INDEX t", kDdl, kDefines | kReleases},
      {"DROP FUNCTION f(int)", kDdl, kDefines},
      {"DROP SCHEMA s", kDdl, kDefines},
      {"DECLARE c CURSOR FOR SELECT 1", kCursor, 0},
      {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", kCursor, kHoldCursor},
      {"DECLARE c BINARY SCROLL CURSOR WITHOUT HOLD FOR SELECT 1", kCursor, 0},
      {"FETCH 5 FROM c", kCursor, 0},
      {"MOVE ALL IN c", kCursor, 0},
      {"CLOSE c", kCursor, kReleases},
      {"CLOSE ALL", kCursor, kReleases},
      {"LOAD 'x'", kUtility, kLoads},
  });
}

TEST(Analysis, TransactionsLocksAndUnseen) {
  using enum StatementKind;
  ExpectAll({
      {"BEGIN", kTransaction, kControls},
      {"START TRANSACTION READ ONLY", kTransaction, kControls},
      {"COMMIT AND CHAIN", kTransaction, kControls | kCommits},
      {"END", kTransaction, kControls | kCommits},
      {"ROLLBACK", kTransaction, kControls},
      {"ABORT", kTransaction, kControls},
      {"SAVEPOINT a", kTransaction, kControls},
      {"RELEASE a", kTransaction, kControls},
      {"ROLLBACK TO a", kTransaction, kControls},
      {"PREPARE TRANSACTION 'a'", kTransaction, kControls | kCommits},
      {"COMMIT PREPARED 'a'", kTransaction, kControls | kCommits},
      {"ROLLBACK PREPARED 'a'", kTransaction, kControls},
      {"LOCK TABLE t", kLock, kLocks},
      {"DO $$BEGIN END$$", kCall, kUnseen | kWrites},
      {"SELECT query_to_xml('SELECT setseed(1)', true, true, '')", kSelect, kUnseen},
      {"SELECT * FROM ts_stat('SELECT v FROM t')", kSelect, kUnseen},
      {"SELECT pg_create_logical_replication_slot('a', 'b', true)", kSelect, kUnseen},
      {"SELECT pg_backup_start('a')", kSelect, kUnseen},
      {"CALL p(1)", kCall, kUnseen | kWrites},
      {"CALL p(set_config('a', 'b', true))", kCall, kUnseen | kWrites | kSetsSetting},
  });
}

TEST(Analysis, LevelsOfTransactions) {
  using Isolation = StatementFacts::Isolation;
  const std::pair<std::string_view, Isolation> cases[] = {
      {"BEGIN", Isolation::kDefault},
      {"START TRANSACTION READ ONLY", Isolation::kDefault},
      {"BEGIN ISOLATION LEVEL READ COMMITTED", Isolation::kReadCommitted},
      {"BEGIN READ WRITE, ISOLATION LEVEL READ UNCOMMITTED", Isolation::kReadCommitted},
      {"BEGIN ISOLATION LEVEL REPEATABLE READ", Isolation::kHigher},
      {"START TRANSACTION ISOLATION LEVEL SERIALIZABLE, DEFERRABLE", Isolation::kHigher},
      {"BEGIN ISOLATION LEVEL SERIALIZABLE ISOLATION LEVEL READ COMMITTED",
       Isolation::kReadCommitted},
  };
  for (const auto& [sql, level] : cases) {
    const Facts facts = FactsOf(sql);
    ASSERT_EQ(facts.statements.size(), 1u) << sql;
    EXPECT_TRUE(facts.statements[0].begins) << sql;
    EXPECT_EQ(facts.statements[0].isolation, level) << sql;
  }
  EXPECT_FALSE(FactsOf("COMMIT AND CHAIN").statements.at(0).begins);
}

TEST(Analysis, Definitions) {
  using enum StatementKind;
  for (const char* sql :
       {"CREATE TABLE t (a int DEFAULT nextval('s'))",
        "CREATE UNLOGGED TABLE t (a int)",
        "CREATE VIEW v AS SELECT pg_advisory_lock(1)",
        "CREATE INDEX i ON t (lower(a))",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT pg_advisory_lock(1)'",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1; END",
        "CREATE PROCEDURE p() LANGUAGE sql AS ''",
        "CREATE RULE r AS ON INSERT TO t DO NOTIFY x",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE SCHEMA s CREATE TABLE t (a int)",
        "CREATE TYPE e AS ENUM ('a')",
        "CREATE EXTENSION x",
        "CREATE DATABASE d",
        "CREATE ROLE r PASSWORD 'x'",
        "ALTER TABLE t ADD a int",
        "ALTER INDEX i RENAME TO j",
        "ALTER FUNCTION f() STABLE",
        "GRANT SELECT ON t TO r",
        "REVOKE r FROM s",
        "COMMENT ON TABLE t IS 'x'",
        "SECURITY LABEL ON TABLE t IS 'x'",
        "REASSIGN OWNED BY a TO b",
        "DROP OWNED BY a",
        "CREATE TABLE t AS SELECT 1",
        "CREATE MATERIALIZED VIEW m AS SELECT 1",
        "DROP MATERIALIZED VIEW m",
        "CREATE POLICY p ON t",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y",
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO r"}) {
    ExpectAll({{sql, kDdl, kDefines}});
  }
  for (const char* sql : {"TRUNCATE t", "VACUUM t", "ANALYZE", "CLUSTER t", "REINDEX TABLE t",
                          "REFRESH MATERIALIZED VIEW m", "CHECKPOINT"}) {
    ExpectAll({{sql, kUtility, kWrites}});
  }
  ExpectAll({{"ALTER TABLE t ADD a int DEFAULT nextval('s'), ADD b int DEFAULT setseed(1)", kDdl,
              kDefines | kUnseen},
             {"CREATE TABLE t AS SELECT setseed(1)", kDdl, kDefines | kUnseen}});
}

TEST(Analysis, ExplainRunsOnlyWithAnalyze) {
  using enum StatementKind;
  ExpectAll({
      {"EXPLAIN DELETE FROM t", kExplain, 0},
      {"EXPLAIN SELECT pg_advisory_lock(1)", kExplain, 0},
      {"EXPLAIN (VERBOSE, COSTS off) SELECT set_config('a', 'b', false)", kExplain, 0},
      {"EXPLAIN (ANALYZE off) DELETE FROM t", kExplain, 0},
      {"EXPLAIN (ANALYZE false) DELETE FROM t", kExplain, 0},
      {"EXPLAIN ANALYZE DELETE FROM t", kExplain, kWrites},
      {"EXPLAIN (ANALYZE) DELETE FROM t", kExplain, kWrites},
      {"EXPLAIN (BUFFERS, ANALYZE on) DELETE FROM t", kExplain, kWrites},
      // What a literal says is not known where facts are shared.
      {"EXPLAIN (ANALYZE 'off') DELETE FROM t", kExplain, kWrites},
      {"EXPLAIN (ANALYZE 0) DELETE FROM t", kExplain, kWrites},
      {"EXPLAIN ANALYZE SELECT set_config('a', 'b', false)", kExplain, kSetsSetting},
      {"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", kExplain, kDefines | kTemporary},
  });
  EXPECT_TRUE(FactsOf("EXPLAIN SELECT f()").statements[0].functions.empty());
  EXPECT_EQ(test::Relations(FactsOf("EXPLAIN DELETE FROM t")), "t");
  EXPECT_EQ(test::Relations(FactsOf("EXPLAIN ANALYZE DELETE FROM t")), "t!");
}

TEST(Analysis, WhatIsNotUnderstoodMayDoAnything) {
  for (const char* sql :
       {"SELEC 1", "SELECT 'a", "SELECT 1; SELEC 2", "SELECT JSON_OBJECT('a': 1)",
        "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE RETURNING *", "SELECT 1_000", "'"}) {
    const Facts facts = FactsOf(sql);
    EXPECT_NE(facts.not_understood, "") << sql;
    EXPECT_EQ(facts.effects, kUnseen | kWrites) << sql;
    ASSERT_EQ(facts.statements.size(), 1u) << sql;
    EXPECT_EQ(facts.statements[0].kind, StatementKind::kUnknown) << sql;
  }
}

TEST(Analysis, ZeroByteInAnIdentifierIsNotUnderstood) {
  using namespace std::string_view_literals;
  EXPECT_NE(FactsOf("SELECT \"a\0b\""sv).not_understood, "");
}

TEST(Analysis, StatementsOfATextAreApart) {
  const std::string sql = " SELECT 'a;b' ;; /* x */ SET a = 1; BEGIN ;COMMIT -- c\n";
  SqlScan scan;
  scan.Scan(sql);
  const Facts facts = Analyse(sql, scan);
  EXPECT_EQ(facts.effects, kSetsSetting | kTransaction | kCommits);
  std::vector<std::string> texts;
  for (const StatementFacts& statement : facts.statements) {
    texts.push_back(sql.substr(statement.offset, statement.length));
    EXPECT_EQ(scan.tokens()[statement.first_token].span.offset, statement.offset);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"SELECT 'a;b'", "SET a = 1", "BEGIN", "COMMIT"}));
  EXPECT_EQ(facts.statements[1].effects, kSetsSetting);
  EXPECT_EQ(facts.statements[3].effects, kTransaction | kCommits);
}

TEST(Analysis, SemicolonsWithinAStatementDontEndIt) {
  const std::string sql =
      "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1";
  const Facts facts = FactsOf(sql);
  ASSERT_EQ(facts.statements.size(), 2u);
  EXPECT_EQ(sql.substr(facts.statements[1].offset, facts.statements[1].length), "SELECT 1");
}

TEST(Analysis, PreparedNamesAreFoundWhereTheyStand) {
  struct Named {
    std::string_view sql;
    std::string_view name;
    std::string_view token;
  };
  for (const Named& named : std::vector<Named>{
           {"PREPARE p AS SELECT 1", "p", "p"},
           {"prepare \"P \"\"x\" (int) AS SELECT $1", "P \"x", "\"P \"\"x\""},
           {"EXECUTE Foo(1)", "foo", "Foo"},
           {"EXPLAIN (ANALYZE, VERBOSE) EXECUTE p", "p", "p"},
           {"CREATE TABLE execute AS EXECUTE execute2 (1)", "execute2", "execute2"},
           {"DEALLOCATE /* c */ PREPARE p", "p", "p"},
           {"DEALLOCATE prepare", "prepare", "prepare"},
           {"EXPLAIN CREATE TABLE a AS EXECUTE b", "b", "b"},
           {"PREPARE a234567890b234567890c234567890d234567890e234567890f234567890xyzw AS SELECT 1",
            "a234567890b234567890c234567890d234567890e234567890f234567890xyz",
            "a234567890b234567890c234567890d234567890e234567890f234567890xyzw"}}) {
    SqlScan scan;
    scan.Scan(named.sql);
    const Facts facts = Analyse(named.sql, scan);
    ASSERT_EQ(facts.not_understood, "") << named.sql;
    const StatementFacts& statement = facts.statements[0];
    EXPECT_EQ(statement.prepared_name, named.name) << named.sql;
    ASSERT_GE(statement.name_token, 0) << named.sql;
    EXPECT_EQ(scan.tokens()[static_cast<size_t>(statement.name_token)].span.In(named.sql),
              named.token);
  }
  EXPECT_EQ(FactsOf("EXECUTE U&\"p\"").statements[0].name_token, -1);
  EXPECT_EQ(FactsOf("DEALLOCATE ALL").statements[0].name_token, -1);
}

TEST(Analysis, PrepareSaysWhatItsExecuteWillDo) {
  const Facts facts = FactsOf(
      "PREPARE p AS WITH d AS (DELETE FROM t RETURNING f(a)) SELECT set_config('a', 'b', false), "
      "pg_advisory_lock(1) FROM d");
  EXPECT_EQ(facts.effects, kPrepares);
  EXPECT_EQ(facts.statements[0].body_effects, kWrites | kSetsSetting | kAdvisoryLock);
  EXPECT_TRUE(facts.settings.empty());
  EXPECT_EQ(test::Relations(facts), "t!");
  EXPECT_EQ(test::Joined(facts.statements[0].functions), "f set_config pg_advisory_lock");
}

TEST(Analysis, ParametersAreCounted) {
  EXPECT_EQ(FactsOf("SELECT $2, $10, $1").parameters, 10);
  EXPECT_EQ(FactsOf("SELECT '$3'").parameters, 0);
}

}  // namespace
}  // namespace pgweir::router
