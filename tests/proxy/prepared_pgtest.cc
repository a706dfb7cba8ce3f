// Prepared statements in transaction mode: each client has its own, whatever backend it is given.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/turns.h"

namespace pgweir::test {
namespace {

std::string Execute(std::string_view name, const std::vector<std::string>& parameters = {}) {
  return fe::Bind("", name, parameters) + fe::Execute("");
}

class Prepared : public Turns {};

// Rule 48
TEST_P(Prepared, SameNameOfTwoClientsIsTwoStatements) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 2, $1::text")), "1 ZI");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
    EXPECT_EQ(Batch(two, Execute("s", {"x"})), "2 D(2,x) C(SELECT 1) ZI");
  }
}

TEST_P(Prepared, SameTextOfTwoClientsIsPreparedOnce) {
  RawClient one = Client(), two = Client();
  for (RawClient* client : {&one, &two}) {
    EXPECT_EQ(Batch(*client, fe::Parse("s", "select $1::int + 40") + fe::Describe('S', "s") +
                                 Execute("s", {"2"})),
              "1 t T 2 D(42) C(SELECT 1) ZI");
  }
  if (!through()) return;
  EXPECT_EQ(Simple(one, "select count(*) from pg_prepared_statements"), "T D(1) C(SELECT 1) ZI");
}

// Rule 53
TEST_P(Prepared, DescribesOnABackendThatLacksIt) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select $1::int")), "1 ZI");
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  EXPECT_EQ(Batch(one, fe::Describe('S', "s")), "t T ZI");
  EXPECT_EQ(Batch(one, Execute("s", {"7"})), "2 D(7) C(SELECT 1) ZI");
}

// Rule 41
TEST_P(Prepared, UnnamedOneIsFoundByALaterBatch) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(two, fe::Parse("", "select 2")), "1 ZI");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Batch(one, Execute("")), "2 D(1) C(SELECT 1) ZI");
    EXPECT_EQ(Batch(two, Execute("")), "2 D(2) C(SELECT 1) ZI");
  }
}

// Rule 41
TEST_P(Prepared, UnnamedOneEndsWithAQuery) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("", "select 1")), "1 ZI");
  EXPECT_EQ(Simple(one, "select 0"), "T D(0) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(two, fe::Parse("", "select 2")), "1 ZI");
  EXPECT_EQ(Batch(one, Execute("")), "E(26000) ZI");
  EXPECT_EQ(Batch(two, Execute("")), "2 D(2) C(SELECT 1) ZI");
}

// Rule 43
TEST_P(Prepared, NameThatIsTakenIsRefusedInSequence) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 2")), "1 ZI");
  one.Send(fe::Extended("select 0") + fe::Parse("s", "select 3") + Execute("s") + fe::Sync());
  const auto answer = one.ReadUntilReady();
  EXPECT_EQ(Line(answer), "1 2 T D(0) C(SELECT 1) E(42P05) ZI");
  EXPECT_EQ(Field(*Find(answer, 'E'), 'M'), "prepared statement \"s\" already exists");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Simple(one, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 3")), "E(42P05) ZE");
  EXPECT_EQ(Batch(one, fe::Parse("t", "select 3")), "E(25P02) ZE");
  EXPECT_EQ(Simple(one, "rollback"), "C(ROLLBACK) ZI");
  EXPECT_EQ(Batch(one, Execute("t")), "E(26000) ZI");
}

// Rule 44
TEST_P(Prepared, UnknownOnesAreRefusedByTheirName) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 2")), "1 ZI");
  for (const char* name : {"s", "pgweir_1", "pgweir_x"}) {
    one.Send(Execute(name) + fe::Sync());
    const auto answer = one.ReadUntilReady();
    EXPECT_EQ(Line(answer), "E(26000) ZI");
    EXPECT_EQ(Batch(one, fe::Describe('S', name)), "E(26000) ZI");
    EXPECT_EQ(Batch(one, fe::Close('S', name)), "3 ZI");
  }
  EXPECT_EQ(Batch(one, fe::Execute("nowhere")), "E(34000) ZI");
  EXPECT_EQ(Batch(two, Execute("s")), "2 D(2) C(SELECT 1) ZI");
}

// The server knows one statement, the client two.
TEST_P(Prepared, ErrorsNameTheOneOfTwoAlikeThatWasUsed) {
  RawClient client = Client();
  for (const char* name : {"first", "other", "third"}) {
    EXPECT_EQ(Batch(client, fe::Parse(name, "select $1::int")), "1 ZI");
  }
  for (const char* name : {"first", "other", "third", "first"}) {
    client.Send(Execute(name) + fe::Sync());
    const auto answer = client.ReadUntilReady();
    EXPECT_NE(Field(answer.front(), 'M').find(name), std::string::npos)
        << Field(answer.front(), 'M');
    client.Send(fe::Query(fmt::format("execute {}", name)));
    const auto by_sql = client.ReadUntilReady();
    EXPECT_NE(Field(by_sql.front(), 'M').find(name), std::string::npos)
        << Field(by_sql.front(), 'M');
  }
}

// Likewise when one of them has to be prepared as the other one is, because a setting has changed.
TEST_P(Prepared, ErrorsNameTheOneThatHadToBePreparedAnew) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("before", "select $1::int")), "1 ZI");
  EXPECT_EQ(Simple(one, "set app.tenant = 'x'"), "C(SET) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("behind", "select $1::int")), "1 ZI");
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  one.Send(fe::Bind("", "before", {"1", "2"}) + fe::Sync());
  const auto answer = one.ReadUntilReady();
  ASSERT_NE(Find(answer, 'E'), nullptr);
  EXPECT_THAT(Field(*Find(answer, 'E'), 'M'), testing::HasSubstr("\"before\""));
}

// Rule 45
TEST_P(Prepared, CloseTakesEffectInOrder) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 1")), "1 ZI");
  EXPECT_EQ(
      Batch(one, Execute("s") + fe::Close('S', "s") + fe::Parse("s", "select 4") + Execute("s")),
      "2 D(1) C(SELECT 1) 3 1 2 D(4) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(two, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, Execute("none") + fe::Close('S', "s")), "E(26000) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(4) C(SELECT 1) ZI");
}

// Rule 46
TEST_P(Prepared, ParseThatFailsOrIsSkippedLeavesNoName) {
  RawClient one = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select no_such_column")), "E(42703) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "E(26000) ZI");
  EXPECT_EQ(Batch(one, Execute("none") + fe::Parse("s", "select 1")), "E(26000) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "E(26000) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1") + Execute("s")), "1 2 D(1) C(SELECT 1) ZI");
}

// Rule 47
TEST_P(Prepared, StatementThatCanNoLongerBePreparedFailsItsBind) {
  server().Query("drop table if exists t47; create table t47 (a int)");
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select a from t47")), "1 ZI");
  EXPECT_EQ(Simple(two, "drop table t47"), "C(DROP TABLE) ZI");
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  EXPECT_EQ(Batch(one, Execute("s") + fe::Extended("select 1")), "E(42P01) ZI");
  EXPECT_EQ(Simple(two, "create table t47 (a int)"), "C(CREATE TABLE) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 C(SELECT 0) ZI");
}

// Rule 50
TEST_P(Prepared, DeallocateAllAndDiscardAllEndTheClientsOwnOnly) {
  RawClient one = Client(), two = Client();
  for (const char* sql : {"deallocate all", "discard all"}) {
    EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZI");
    EXPECT_EQ(Batch(two, fe::Close('S', "s") + fe::Parse("s", "select 2")), "3 1 ZI");
    Simple(one, sql);
    EXPECT_EQ(Batch(one, Execute("s")), "E(26000) ZI");
    EXPECT_EQ(Batch(two, Execute("s")), "2 D(2) C(SELECT 1) ZI");
  }
}

// Rule 50: a rollback undoes neither PREPARE nor DEALLOCATE.
TEST_P(Prepared, RollbackUndoesNoParse) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Simple(one, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZT");
  EXPECT_EQ(Simple(one, "rollback"), "C(ROLLBACK) ZI");
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 2")), "1 ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
}

// Rules 52 and 42
TEST_P(Prepared, PortalsLiveAsLongAsTheirTransaction) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select generate_series(1, 3)")), "1 ZI");
  EXPECT_EQ(Simple(one, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Batch(one, fe::Bind("p", "s") + fe::Execute("p", 2)), "2 D(1) D(2) s ZT");
  EXPECT_EQ(Batch(one, fe::Execute("p", 2)), "D(3) C(SELECT 1) ZT");
  EXPECT_EQ(Simple(one, "commit"), "C(COMMIT) ZI");
  EXPECT_EQ(Simple(two, "select 1"), "T D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, fe::Execute("p", 2)), "E(34000) ZI");
}

// Rule 36
TEST_P(Prepared, PipelineAcrossErrorsKeepsItsStatements) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(two, fe::Parse("x", "select 9")), "1 ZI");
  one.Send(fe::Parse("a", "select 1") + Execute("a") + fe::Sync() + Execute("none") +
           fe::Parse("b", "select 2") + fe::Sync() + Execute("a") + fe::Parse("b", "select 3") +
           fe::Sync() + Execute("b") + fe::Sync());
  EXPECT_EQ(Line(one.ReadUntilReady()), "1 2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Line(one.ReadUntilReady()), "E(26000) ZI");
  EXPECT_EQ(Line(one.ReadUntilReady()), "2 D(1) C(SELECT 1) 1 ZI");
  EXPECT_EQ(Line(one.ReadUntilReady()), "2 D(3) C(SELECT 1) ZI");
}

// Rule 40
TEST_P(Prepared, EmptyStatement) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Batch(one, fe::Parse("e", "") + Execute("e")), "1 2 I ZI");
  EXPECT_EQ(Batch(two, fe::Parse("e", "-- nothing") + Execute("e")), "1 2 I ZI");
  EXPECT_EQ(Batch(one, fe::Describe('S', "e") + Execute("e")), "t n 2 I ZI");
}

TEST_P(Prepared, LargeParametersStreamBehindTheRewrittenHead) {
  RawClient one = Client(), two = Client();
  const std::string large(3'000'000, 'v');
  EXPECT_EQ(Batch(one, fe::Parse("s", "select length($1::text)")), "1 ZI");
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  EXPECT_EQ(Batch(one, Execute("s", {large})), "2 D(3000000) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, Execute("s", {large})), "2 D(3000000) C(SELECT 1) ZI");
}

TEST_P(Prepared, LongStatementStaysWithItsClient) {
  RawClient one = Client();
  const std::string sql = "select 1 /*" + std::string(100'000, 'x') + "*/";
  EXPECT_EQ(Batch(one, fe::Parse("long", sql)), "1 ZI");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Batch(one, Execute("long")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("", sql) + Execute("")), "1 2 D(1) C(SELECT 1) ZI");
}

// Rule 51: outside a transaction a client that asks what its rows look like does not notice.
TEST_P(Prepared, ResultTypeThatChangedIsPreparedAnew) {
  server().Query("drop table if exists t51; create table t51 (a int); insert into t51 values (1)");
  RawClient one = Client(), two = Client();
  const std::string described = fe::Bind("", "s") + fe::Describe('P', "") + fe::Execute("");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select * from t51")), "1 ZI");
  EXPECT_EQ(Batch(one, described), "2 T D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Simple(two, "alter table t51 add b int default 2"), "C(ALTER TABLE) ZI");
  EXPECT_EQ(Batch(one, described), through() ? "2 T D(1,2) C(SELECT 1) ZI" : "E(0A000) ZI");
  EXPECT_EQ(Simple(two, "alter table t51 add c int default 3"), "C(ALTER TABLE) ZI");
  EXPECT_EQ(Simple(one, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Batch(one, described), "E(0A000) ZE");
  EXPECT_EQ(Simple(one, "rollback"), "C(ROLLBACK) ZI");
  EXPECT_EQ(Batch(one, described), through() ? "2 T D(1,2,3) C(SELECT 1) ZI" : "E(0A000) ZI");
  // Who was told before must be told that it holds no more.
  EXPECT_EQ(Simple(two, "alter table t51 add d int default 4"), "C(ALTER TABLE) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "E(0A000) ZI");
  EXPECT_EQ(Batch(one, fe::Close('S', "s") + fe::Parse("s", "select * from t51") + Execute("s")),
            "3 1 2 D(1,2,3,4) C(SELECT 1) ZI");
}

// Rule 50: SQL's commands share their names with the protocol's messages.
TEST_P(Prepared, SqlPreparedOnesAreCarried) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Simple(one, "prepare s (int) as select $1 + 1"), "C(PREPARE) ZI");
  EXPECT_EQ(Simple(two, "PREPARE \"S\" AS SELECT 'two'"), "C(PREPARE) ZI");
  EXPECT_EQ(Simple(two, "prepare s (int) as select $1 + 1"), "C(PREPARE) ZI");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Simple(one, "execute s (41)"), "T D(42) C(SELECT 1) ZI");
    EXPECT_EQ(Simple(two, "EXECUTE \"S\""), "T D(two) C(SELECT 1) ZI");
    EXPECT_EQ(Batch(one, Execute("s", {"1"})), "2 D(2) C(SELECT 1) ZI");
    EXPECT_EQ(Simple(two, "execute s (1); execute \"S\""),
              "T D(2) C(SELECT 1) T D(two) C(SELECT 1) ZI");
  }
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  EXPECT_EQ(Batch(one, Execute("s", {"1"})), "2 D(2) C(SELECT 1) ZI");
  EXPECT_EQ(Simple(two, "execute s (1)"), "E(26000) ZI");
  EXPECT_EQ(Simple(one, "explain (costs off) execute s (1)"), "T D(Result) C(EXPLAIN) ZI");
}

// Rules 43, 44 and 50
TEST_P(Prepared, SqlPreparedOnesFailAsTheServerSaysSo) {
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Simple(one, "prepare s as select no_such_column"), "E(42703) ZI");
  EXPECT_EQ(Simple(one, "execute s"), "E(26000) ZI");
  EXPECT_EQ(Simple(one, "prepare s as select 1"), "C(PREPARE) ZI");
  one.Send(fe::Query("prepare s as select 2"));
  const auto answer = one.ReadUntilReady();
  EXPECT_EQ(Line(answer), "E(42P05) ZI");
  EXPECT_EQ(Field(*Find(answer, 'E'), 'M'), "prepared statement \"s\" already exists");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 3")), "E(42P05) ZI");
  EXPECT_EQ(Simple(two, "deallocate s"), "E(26000) ZI");
  EXPECT_EQ(Simple(one, "begin; prepare t as select 5; rollback"),
            "C(BEGIN) C(PREPARE) C(ROLLBACK) ZI");
  EXPECT_EQ(Simple(one, "execute t"), "T D(5) C(SELECT 1) ZI");
  EXPECT_EQ(Simple(one, "execute s"), "T D(1) C(SELECT 1) ZI");
}

// Rule 43
// Where an error is, is said of the client's own text.
TEST_P(Prepared, PositionsOfErrorsAreInTheClientsText) {
  RawClient client = Client();
  const auto position = [&](std::string_view bytes) {
    client.Send(bytes);
    for (const Message& message : client.ReadUntilReady()) {
      if (message.type == 'E') return Field(message, 'P');
    }
    return std::string("no error");
  };
  EXPECT_EQ(position(fe::Query("prepare s as select nowhere")), "21");
  EXPECT_EQ(position(fe::Query("/* \xc3\xa9 */ prepare s as select nowhere")), "29");
  EXPECT_EQ(position(fe::Query("prepare s as select 1")), "no error");
  EXPECT_EQ(position(fe::Query("execute s; execute s; select nowhere")), "30");
  EXPECT_EQ(position(fe::Parse("", "explain execute s; nonsense") + fe::Sync()), "20");
}

TEST_P(Prepared, SqlPreparedAmongOtherStatementsKeepsItsBackend) {
  RawClient one = Client();
  EXPECT_EQ(Simple(one, "select 0; prepare s as select 1; prepare t as select 2"),
            "T D(0) C(SELECT 1) C(PREPARE) C(PREPARE) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 3")), "E(42P05) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("", "prepare t as select 3") + Execute("")), "1 2 E(42P05) ZI");
  EXPECT_EQ(Simple(one, "deallocate t; execute s"), "C(DEALLOCATE) T D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, fe::Close('S', "s") + fe::Parse("s", "select 4") + Execute("s")),
            "3 1 2 D(4) C(SELECT 1) ZI");
}

// Rule 47
TEST_P(Prepared, ExecuteSaysWhyItsStatementCanNoLongerBePrepared) {
  server().Query("drop table if exists t48; create table t48 (a int)");
  RawClient one = Client(), two = Client();
  EXPECT_EQ(Simple(one, "prepare s as select a from t48"), "C(PREPARE) ZI");
  EXPECT_EQ(Simple(two, "drop table t48"), "C(DROP TABLE) ZI");
  EXPECT_EQ(Simple(two, "deallocate all"), "C(DEALLOCATE ALL) ZI");
  EXPECT_EQ(Simple(one, "execute s"), "E(42P01) ZI");
  EXPECT_EQ(Simple(one, "execute none"), "E(26000) ZI");
  EXPECT_EQ(Simple(two, "create table t48 (a int)"), "C(CREATE TABLE) ZI");
  EXPECT_EQ(Simple(one, "execute s"), "T C(SELECT 0) ZI");
}

// Rule 50
TEST_P(Prepared, DeallocateThatIsNotCarriedOutEndsNothing) {
  RawClient one = Client();
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(one, fe::Parse("", "deallocate s")), "1 ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("d", "deallocate s")), "1 ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, Execute("d")), "2 C(DEALLOCATE) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "E(26000) ZI");
}

// Rule 50
TEST_P(Prepared, DeallocateThatWasRefusedIsForgotten) {
  RawClient one = Client();
  EXPECT_EQ(Batch(one, fe::Parse("x", "select 1")), "1 ZI");
  EXPECT_EQ(Batch(one, fe::Parse("", "select nowhere") + fe::Parse("s", "deallocate x")),
            "E(42703) ZI");
  EXPECT_EQ(Batch(one, fe::Parse("s", "select 2")), "1 ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "2 D(2) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, Execute("x")), "2 D(1) C(SELECT 1) ZI");
}

// Rule 50
TEST_P(Prepared, DeallocateCountsWhenItsPortalIsCarriedOut) {
  RawClient one = Client();
  EXPECT_EQ(Batch(one, fe::Parse("x", "select 1") + fe::Parse("d", "deallocate x") +
                           fe::Parse("s", "select 2")),
            "1 1 1 ZI");
  EXPECT_EQ(Batch(one, fe::Bind("p", "d", {}) + Execute("s")), "2 2 D(2) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(one, Execute("x")), "2 D(1) C(SELECT 1) ZI");
}

// Rule 50
TEST_P(Prepared, DeallocateOfANameEndsItForItsClient) {
  RawClient one = Client(), two = Client();
  for (RawClient* client : {&one, &two}) {
    EXPECT_EQ(Batch(*client, fe::Parse("s", "select 1")), "1 ZI");
  }
  EXPECT_EQ(Simple(one, "DEALLOCATE PREPARE s"), "C(DEALLOCATE) ZI");
  EXPECT_EQ(Batch(one, Execute("s")), "E(26000) ZI");
  EXPECT_EQ(Simple(one, "deallocate s"), "E(26000) ZI");
  EXPECT_EQ(Batch(two, Execute("s")), "2 D(1) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(two, fe::Parse("", "deallocate s") + Execute("")), "1 2 C(DEALLOCATE) ZI");
  EXPECT_EQ(Batch(two, Execute("s")), "E(26000) ZI");
  EXPECT_EQ(Batch(two, fe::Parse("s", "select 2") + Execute("s")), "1 2 D(2) C(SELECT 1) ZI");
}

PGWEIR_BOTH_WAYS(Prepared);

class PreparedFew : public Turns {
 protected:
  std::string MorePool() const override { return "max_prepared_statements = 3"; }
};

// Rule 49
TEST_P(PreparedFew, OldestMakeRoom) {
  RawClient one = Client(), two = Client();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Batch(one, fe::Parse(fmt::format("s{}", i), fmt::format("select {}", i))), "1 ZI");
  }
  EXPECT_EQ(Batch(two, fe::Parse("x", "select 100")), "1 ZI");
  for (int i = 9; i >= 0; --i) {
    EXPECT_EQ(Batch(one, Execute(fmt::format("s{}", i))), fmt::format("2 D({}) C(SELECT 1) ZI", i));
  }
  EXPECT_EQ(Batch(two, Execute("x")), "2 D(100) C(SELECT 1) ZI");
  // Skipped with its batch, the Close leaves the old one where it was.
  EXPECT_EQ(Batch(one, Execute("none") + Execute("s5")), "E(26000) ZI");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Batch(one, Execute(fmt::format("s{}", i))), fmt::format("2 D({}) C(SELECT 1) ZI", i));
  }
  if (!through()) return;
  EXPECT_EQ(Simple(two, "select count(*) from pg_prepared_statements"), "T D(3) C(SELECT 1) ZI");
}

PGWEIR_BOTH_WAYS(PreparedFew);

}  // namespace
}  // namespace pgweir::test
