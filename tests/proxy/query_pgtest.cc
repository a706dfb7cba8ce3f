// Simple and extended queries by libpq, directly and through pgweir.

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Query : public BothWays {
 protected:
  Query() : connection_(Conninfo()) {}
  void SetUp() override {
    BothWays::SetUp();
    ASSERT_TRUE(connection_.ok()) << connection_.error();
  }

  Connection connection_;
};

TEST_P(Query, ReturnsValuesNullsAndTags) {
  Result result = connection_.Exec("select 1, null, 'ä' union all select 2, 'x', ''");
  ASSERT_TRUE(result.ok()) << result.message();
  EXPECT_EQ(result.rows(), 2);
  EXPECT_EQ(result.tag(), "SELECT 2");
  EXPECT_TRUE(PQgetisnull(result.get(), 0, 1));
  EXPECT_EQ(result.Value(0, 2), "ä");
  EXPECT_EQ(result.Value(1, 1), "x");
}

// Rule 34: an error in a simple query costs that query alone.
TEST_P(Query, GoesOnAfterAnError) {
  Result failed = connection_.Exec("select 1/0");
  EXPECT_EQ(failed.sqlstate(), "22012");
  EXPECT_EQ(connection_.transaction(), PQTRANS_IDLE);
  EXPECT_EQ(connection_.Value("select 5"), "5");
}

TEST_P(Query, KeepsThePositionAndHintOfAServerError) {
  Result failed = connection_.Exec("select no_such_column from pg_class");
  EXPECT_EQ(failed.sqlstate(), "42703");
  EXPECT_STREQ(PQresultErrorField(failed.get(), PG_DIAG_STATEMENT_POSITION), "8");
  EXPECT_NE(PQresultErrorField(failed.get(), PG_DIAG_SOURCE_FUNCTION), nullptr);
}

// Rule 37: in a failed transaction only ROLLBACK works.
TEST_P(Query, StaysInAFailedTransactionUntilRollback) {
  connection_.Exec("begin");
  connection_.Exec("select 1/0");
  EXPECT_EQ(connection_.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(connection_.Exec("select 1").sqlstate(), "25P02");
  EXPECT_TRUE(connection_.Exec("rollback").ok());
  EXPECT_EQ(connection_.transaction(), PQTRANS_IDLE);
}

// Rule 39: several statements in one message, several results, one ReadyForQuery.
TEST_P(Query, AnswersEachStatementOfOneMessage) {
  connection_.Send("select 1; select 2, 3; begin; select 4");
  std::string tags;
  while (std::optional<Result> result = connection_.Next()) tags += result->tag() + ";";
  EXPECT_EQ(tags, "SELECT 1;SELECT 1;BEGIN;SELECT 1;");
  EXPECT_EQ(connection_.transaction(), PQTRANS_INTRANS);
  EXPECT_TRUE(connection_.Exec("commit").ok());
}

// Rule 40
TEST_P(Query, AnswersEmptyQueries) {
  for (const char* text : {"", ";", "  -- nothing\n"}) {
    EXPECT_EQ(connection_.Exec(text).status(), PGRES_EMPTY_QUERY) << text;
  }
  EXPECT_EQ(connection_.ExecParams("", {}).status(), PGRES_EMPTY_QUERY);
}

TEST_P(Query, TakesParametersAndBinaryResults) {
  Result text = connection_.ExecParams("select $1::int + $2::int, $3::text", {"2", "40", "x'y"});
  EXPECT_EQ(text.Value(0, 0), "42");
  EXPECT_EQ(text.Value(0, 1), "x'y");
  Result binary = connection_.ExecParams("select $1::int", {"258"}, 1);
  EXPECT_EQ(binary.Value(), std::string("\0\0\1\2", 4));
}

TEST_P(Query, KeepsAPreparedStatementWithinATransaction) {
  connection_.Exec("begin");
  Result prepared(PQprepare(connection_.get(), "doubled", "select $1::int * 2", 0, nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  for (int i = 1; i <= 3; ++i) {
    std::string number = std::to_string(i);
    const char* value = number.c_str();
    Result result(PQexecPrepared(connection_.get(), "doubled", 1, &value, nullptr, nullptr, 0));
    EXPECT_EQ(result.Value(), std::to_string(i * 2)) << result.message();
  }
  Result described(PQdescribePrepared(connection_.get(), "doubled"));
  EXPECT_EQ(PQnparams(described.get()), 1);
  EXPECT_TRUE(connection_.Exec("deallocate doubled").ok());
  EXPECT_TRUE(connection_.Exec("commit").ok());
}

// Rule 63: notices keep their place between results, and none of them is a response.
TEST_P(Query, DeliversNotices) {
  std::vector<std::string> heard;
  PQsetNoticeReceiver(
      connection_.get(),
      [](void* to, const PGresult* notice) {
        const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
        static_cast<std::vector<std::string>*>(to)->emplace_back(text);
      },
      &heard);
  EXPECT_TRUE(
      connection_.Exec("do $$ begin for i in 1..300 loop raise notice 'n%', i; end loop; end $$")
          .ok());
  ASSERT_EQ(heard.size(), 300u);
  EXPECT_EQ(heard.front(), "n1");
  EXPECT_EQ(heard.back(), "n300");
  EXPECT_EQ(connection_.Value("select 1"), "1");
}

TEST_P(Query, StreamsManyRows) {
  Result result =
      connection_.Exec("select n, repeat('r', n % 100) from generate_series(1, 100000) n");
  ASSERT_EQ(result.rows(), 100000);
  int64_t sum = 0;
  for (int row = 0; row < result.rows(); ++row) {
    sum += std::stoll(result.Value(row, 0));
    ASSERT_EQ(result.Value(row, 1).size(), static_cast<size_t>((row + 1) % 100));
  }
  EXPECT_EQ(sum, 5000050000);
}

TEST_P(Query, CarriesALargeValueBothWays) {
  std::string value(20 << 20, 'v');
  for (size_t at = 0; at < value.size(); at += 4096) value[at] = static_cast<char>('a' + at % 23);
  Result result = connection_.ExecParams("select $1::text", {value});
  ASSERT_TRUE(result.ok()) << result.message();
  EXPECT_TRUE(result.Value() == value);
}

TEST_P(Query, GivesRowsOneByOne) {
  connection_.Send("select n from generate_series(1, 1000) n");
  ASSERT_EQ(PQsetSingleRowMode(connection_.get()), 1);
  int rows = 0;
  while (std::optional<Result> result = connection_.Next()) rows += result->rows();
  EXPECT_EQ(rows, 1000);
}

// Rule 54
TEST_P(Query, CallsAFunctionByItsOid) {
  int oid = std::stoi(connection_.Value("select 'int4pl(int,int)'::regprocedure::oid"));
  PQArgBlock arguments[2] = {{4, 1, {}}, {4, 1, {}}};
  arguments[0].u.integer = 40;
  arguments[1].u.integer = 2;
  int sum = 0;
  int length = 0;
  Result result(PQfn(connection_.get(), oid, &sum, &length, 1, arguments, 2));
  EXPECT_EQ(result.status(), PGRES_COMMAND_OK) << result.message();
  EXPECT_EQ(sum, 42);
  Result unknown(PQfn(connection_.get(), 1, &sum, &length, 1, arguments, 2));
  EXPECT_EQ(unknown.sqlstate(), "42883");
  EXPECT_EQ(connection_.Value("select 1"), "1");
}

TEST_P(Query, KeepsCursorsOfATransaction) {
  connection_.Exec("begin");
  connection_.Exec("declare c cursor for select n from generate_series(1, 10) n");
  EXPECT_EQ(connection_.Exec("fetch 4 from c").rows(), 4);
  EXPECT_EQ(connection_.Exec("fetch all from c").rows(), 6);
  EXPECT_TRUE(connection_.Exec("commit").ok());
}

// Rule 76
TEST_P(Query, RefusesPreparedTransactionsAsTheServerDoes) {
  connection_.Exec("begin");
  EXPECT_EQ(connection_.Exec("prepare transaction 'p'").sqlstate(), "55000");
  connection_.Exec("rollback");
  EXPECT_EQ(connection_.Exec("commit prepared 'p'").sqlstate(), "42704");
}

PGWEIR_BOTH_WAYS(Query);

}  // namespace
}  // namespace pgweir::test
