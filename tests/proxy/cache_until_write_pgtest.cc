// The query cache with in_transactions = "until_write".

#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/turns.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kRead = "select n from counter";
constexpr std::string_view kWrite = "update counter set n = n + 1";

class CacheUntilWrite : public CachedTest {
 protected:
  static void SetUpTestSuite() {
    Begin(
        "create table other (n int); insert into other values (0);"
        "create role strict;",
        kEveryRead, {}, "in_transactions = \"until_write\"");
  }
  // Though there is an answer in the cache.
  static bool InTransactionItAsksTheServer(const Connection& client, const Connection& other) {
    Console("cache flush");
    const std::string filled = other.Value(kRead);
    Count();
    EXPECT_EQ(other.Value(kRead), filled);
    Do(client, "begin");
    const bool asks = client.Value(kRead) != filled;
    Do(client, "commit");
    return asks;
  }
};

// Situation 33.
TEST_F(CacheUntilWrite, ReadsAreServedAndStored) {
  const Connection client = Client(), other = Client();
  for (const char* begin : {"begin", "start transaction", "begin isolation level read committed",
                            "begin read only", "begin isolation level read uncommitted"}) {
    SCOPED_TRACE(begin);
    Console("cache flush");
    Do(client, begin);
    EXPECT_TRUE(Repeats(client, kRead)) << "filled and served within";
    EXPECT_EQ(client.transaction(), PQTRANS_INTRANS);
    EXPECT_EQ(other.Value(kRead), client.Value(kRead)) << "shared with others";
    EXPECT_EQ(client.ExecParams(kRead, {}).Value(), Counter()) << "another question";
    Do(client, "commit");
    EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
  }
}

TEST_F(CacheUntilWrite, ReadyForQuerySaysHowTheClientStands) {
  RawClient client = RawClient::Login(port());
  const Connection other = Client();
  const std::string filled = other.Value(kRead);
  Count();
  const std::string answer = fmt::format("T D({}) C(SELECT 1) ZT", filled);
  EXPECT_EQ(Simple(client, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Simple(client, kRead), answer);
  EXPECT_EQ(Simple(client, kRead), answer);
  EXPECT_EQ(Simple(client, "commit"), "C(COMMIT) ZI");
  client.Send(fe::Query("begin") + fe::Query(kRead) + fe::Query("commit") + fe::Query(kRead));
  EXPECT_EQ(Line(client.ReadUntilReady()), "C(BEGIN) ZT");
  EXPECT_EQ(Line(client.ReadUntilReady()), answer);
  EXPECT_EQ(Line(client.ReadUntilReady()), "C(COMMIT) ZI");
  EXPECT_EQ(Line(client.ReadUntilReady()), fmt::format("T D({}) C(SELECT 1) ZI", filled));
  // An error within, behind an answer of the cache's.
  Simple(client, "begin");
  EXPECT_EQ(Simple(client, kRead), answer);
  EXPECT_EQ(Simple(client, "select 1/0"), "E(22012) ZE");
  EXPECT_EQ(Simple(client, kRead), "E(25P02) ZE");
  EXPECT_EQ(Simple(client, "rollback"), "C(ROLLBACK) ZI");
}

TEST_F(CacheUntilWrite, StatementsAreThereAfterAHit) {
  RawClient client = RawClient::Login(port());
  EXPECT_EQ(Batch(client, fe::Parse("again", kRead)), "1 ZI");
  Simple(client, "begin");
  const std::string bind = fe::Bind("", "again", {}) + fe::Execute("");
  const std::string answer = fmt::format("2 D({}) C(SELECT 1) ZT", Counter());
  EXPECT_EQ(Batch(client, bind), answer);
  Count();
  EXPECT_EQ(Batch(client, bind), answer);
  EXPECT_EQ(Batch(client, fe::Parse("", kRead) + fe::Bind("", "", {}) + fe::Execute("")),
            "1 " + answer);
  EXPECT_EQ(Batch(client, fe::Bind("", "", {}) + fe::Execute("")),
            fmt::format("2 D({}) C(SELECT 1) ZT", Counter()))
      << "the server's";
  // The unnamed one is the last that was parsed, whoever has answered, and a Query ends it.
  Simple(client, kRead);
  EXPECT_EQ(Batch(client, fe::Bind("", "", {}) + fe::Execute("")), "E(26000) ZE");
  Simple(client, "rollback");
}

// Situations 34 and 35: what follows a write is the server's, and is not kept.
TEST_F(CacheUntilWrite, NothingBehindAWrite) {
  const Connection client = Client(), other = Client();
  for (const char* write :
       {"update other set n = n + 1", "select n from other for update", "savepoint s",
        "set local work_mem = '1MB'", "select pg_advisory_xact_lock(1)", "create temp table t ()",
        "select 1; select 2", "lock table other", "declare c cursor for select 1",
        "do $$ begin end $$"}) {
    SCOPED_TRACE(write);
    Console("cache flush");
    ASSERT_TRUE(WaitKnown());
    Do(client, "begin");
    Do(client, write);
    EXPECT_FALSE(Repeats(client, kRead));
    Do(client, "rollback");
  }
  // Its own change is seen by itself only.
  Console("cache flush");
  ASSERT_TRUE(WaitKnown());
  const std::string filled = other.Value(kRead);
  Do(client, "begin");
  EXPECT_EQ(client.Value(kRead), filled);
  Do(client, kWrite);
  const std::string own = client.Value(kRead);
  EXPECT_NE(own, filled);
  EXPECT_EQ(other.Value(kRead), filled);
  Do(client, "rollback");
  EXPECT_EQ(client.Value(kRead), filled);
}

// Situation 32.
TEST_F(CacheUntilWrite, SnapshotsAreNeitherServedNorStored) {
  const Connection client = Client(), other = Client();
  for (const char* begin :
       {"begin isolation level repeatable read", "begin isolation level serializable",
        "begin; set transaction isolation level repeatable read",
        "begin isolation level read committed; select 1"}) {
    SCOPED_TRACE(begin);
    Console("cache flush");
    const std::string filled = other.Value(kRead);
    Count();
    Do(client, begin);
    EXPECT_NE(client.Value(kRead), filled);
    Do(client, "commit");
  }
}

TEST_F(CacheUntilWrite, DefaultsThatSayOtherwiseCount) {
  const Connection client = Client(), other = Client();
  for (const char* level : {"repeatable read", "serializable"}) {
    Do(client, fmt::format("set default_transaction_isolation = '{}'", level));
    EXPECT_TRUE(InTransactionItAsksTheServer(client, other)) << level;
  }
  Do(client, "set default_transaction_isolation = 'read committed'");
  Do(client, "begin");
  EXPECT_TRUE(Repeats(client, kRead));
  Do(client, "commit");
  // Of some role, which any might be.
  Behind("alter role strict set default_transaction_isolation = 'repeatable read'");
  Do(client, "create table changed ()");
  Do(client, "drop table changed");
  ASSERT_TRUE(WaitKnown());
  EXPECT_TRUE(InTransactionItAsksTheServer(client, other));
  Do(client, "begin isolation level read committed");
  EXPECT_TRUE(Repeats(client, kRead)) << "it says so itself";
  Do(client, "commit");
  Behind("alter role strict reset default_transaction_isolation");
  Do(client, "create table changed ()");
  Do(client, "drop table changed");
}

// Whoever holds a backend waits for no other's answer: the pool's only one asks itself.
TEST_F(CacheUntilWrite, NobodyWaitsWithABackendInHand) {
  const auto process = Start(Options(kEveryRead, "in_transactions = \"until_write\"", "size = 1"));
  ASSERT_TRUE(WaitKnown(*process));
  Console("cache flush", *process);
  const Connection holder(process->Conninfo()), other(process->Conninfo());
  Do(holder, "begin");
  Do(holder, "select 1 as one from counter");
  // The other leads, and has no backend to ask.
  other.Send(kRead);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(holder.Value(kRead), Counter());
  Do(holder, "commit");
  const auto answer = other.Next();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->Value(), Counter());
}

TEST_F(CacheUntilWrite, RefusalsAreCounted) {
  const Connection client = Client();
  Do(client, "begin isolation level repeatable read");
  client.Value(kRead);
  Do(client, "commit");
  const Result rules = Console("show cache rules");
  std::string all;
  for (int i = 0; i < PQnfields(rules.get()); ++i) all += rules.Value(0, i) + "|";
  EXPECT_NE(all.find("isn't READ COMMITTED"), std::string::npos) << all;
}

}  // namespace
}  // namespace pgweir::test
