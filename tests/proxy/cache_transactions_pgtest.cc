// The query cache: transactions, races with commits, other servers. Of the situations in which a
// cached answer would be wrong, 31 to 44. (41: how the server commits, synchronously or not, makes
// no difference to what its primary answers; 42 is about replicas.)

#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/gate.h"
#include "tests/support/turns.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kRead = "select n from counter";
constexpr std::string_view kWrite = "update counter set n = n + 1";

class CacheTransactions : public CachedTest {
 protected:
  static void SetUpTestSuite() {
    PostgresOptions options;
    options.settings = {"max_prepared_transactions = 5"};
    Begin("", kEveryRead, options);
  }

  // An answer that is in the cache, while the server has another one.
  static std::string Fill(const Connection& client) {
    std::string answer = client.Value(kRead);
    Count();
    EXPECT_EQ(client.Value(kRead), answer) << "not cached";
    return answer;
  }
};

// Situation 31.
TEST_F(CacheTransactions, FailedOnesAnswerNothing) {
  const Connection client = Client();
  Fill(client);
  client.Exec("begin; select 1/0");
  EXPECT_EQ(client.Exec(kRead).sqlstate(), "25P02");
  EXPECT_EQ(client.ExecParams(kRead, {}).sqlstate(), "25P02");
  Do(client, "rollback");
}

// Situation 32.
TEST_F(CacheTransactions, SnapshotsAreNeitherServedNorStored) {
  const Connection client = Client(), other = Client();
  for (const char* begin : {"begin isolation level repeatable read",
                            "begin isolation level serializable read only deferrable",
                            "begin; set transaction isolation level serializable"}) {
    SCOPED_TRACE(begin);
    Fill(other);
    Do(client, begin);
    const std::string seen = client.Value(kRead);
    EXPECT_EQ(seen, Counter());
    Console("cache flush");
    Count();
    EXPECT_EQ(client.Value(kRead), seen) << "its snapshot";
    EXPECT_EQ(other.Value(kRead), Counter()) << "not what the other's snapshot has";
    Do(client, "commit");
    EXPECT_EQ(client.Value(kRead), Counter());
    Console("cache flush");
  }
  Do(client, "begin isolation level repeatable read");
  Console("cache flush");
  const std::string snapshot = client.Value("select pg_export_snapshot()");
  const std::string seen = client.Value(kRead);
  Count();
  Do(other,
     fmt::format("begin isolation level repeatable read; set transaction snapshot '{}'", snapshot));
  EXPECT_EQ(other.Value(kRead), seen);
  Do(other, "commit");
  Do(client, "commit");
  EXPECT_EQ(other.Value(kRead), Counter());
}

// Situation 32: each of their statements is a transaction of its own that takes part in the checks.
TEST_F(CacheTransactions, SerializableSessionsAskTheServer) {
  const Connection client = Client(), other = Client();
  Fill(other);
  Do(client, "set default_transaction_isolation = 'serializable'");
  EXPECT_FALSE(Repeats(client, kRead));
  Do(client, "reset default_transaction_isolation");
  Do(client, "set session characteristics as transaction isolation level serializable");
  EXPECT_FALSE(Repeats(client, kRead));
  const Connection born =
      Client("postgres", "postgres", "options='-c default_transaction_isolation=serializable'");
  EXPECT_FALSE(Repeats(born, kRead));
}

// Situation 33: within a block nothing is served; ReadyForQuery says so.
TEST_F(CacheTransactions, BlocksAskTheServer) {
  RawClient client = RawClient::Login(port());
  const Connection other = Client();
  Fill(other);
  EXPECT_EQ(Simple(client, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Simple(client, kRead), fmt::format("T D({}) C(SELECT 1) ZT", Counter()));
  EXPECT_EQ(Batch(client, fe::Extended(kRead)),
            fmt::format("1 2 T D({}) C(SELECT 1) ZT", Counter()));
  EXPECT_EQ(Simple(client, "commit"), "C(COMMIT) ZI");
  // All sent at once.
  const std::string filled = Fill(other);
  client.Send(fe::Query("begin") + fe::Query(kRead) + fe::Query("commit") + fe::Query(kRead));
  EXPECT_EQ(Line(client.ReadUntilReady()), "C(BEGIN) ZT");
  EXPECT_EQ(Line(client.ReadUntilReady()), fmt::format("T D({}) C(SELECT 1) ZT", Counter()));
  EXPECT_EQ(Line(client.ReadUntilReady()), "C(COMMIT) ZI");
  EXPECT_EQ(Line(client.ReadUntilReady()), fmt::format("T D({}) C(SELECT 1) ZI", Counter()))
      << "it has gone on to the server with the others";
  EXPECT_EQ(Simple(client, kRead), fmt::format("T D({}) C(SELECT 1) ZI", filled));
}

// Situations 34 and 35.
TEST_F(CacheTransactions, OwnWritesAreSeenByTheirTransactionOnly) {
  const Connection client = Client(), other = Client();
  const std::string filled = Fill(other);
  const std::string before = Counter(), after = std::to_string(std::stoi(before) + 1);
  Do(client, "begin");
  Do(client, kWrite);
  EXPECT_EQ(client.Value(kRead), after);
  EXPECT_EQ(client.ExecParams(kRead, {}).Value(), after);
  EXPECT_EQ(other.Value(kRead), filled) << "nothing is committed";
  Do(client, "savepoint s");
  Do(client, kWrite);
  Do(client, "rollback to s");
  EXPECT_EQ(client.Value(kRead), after);
  Do(client, "rollback");
  EXPECT_NE(other.Value(kRead), after);
  EXPECT_NE(client.Value(kRead), after);

  Do(client, "begin");
  Do(client, kWrite);
  Do(client, "savepoint s; rollback to s");
  EXPECT_EQ(client.Value(kRead), after);
  Do(client, "commit");
  EXPECT_EQ(other.Value(kRead), after);
  EXPECT_EQ(client.Value(kRead), after);
}

// Situation 35: what a block reads before its own COMMIT is for nobody else.
TEST_F(CacheTransactions, NothingThatABlockReadIsStored) {
  const Connection client = Client(), other = Client();
  Do(client, "begin");
  const std::string seen = client.Value(kRead);
  client.Value(kRead);
  Do(client, "commit");
  Count();
  EXPECT_NE(other.Value(kRead), seen);
}

// Situation 38: whoever knows of a commit reads it, wherever.
TEST_F(CacheTransactions, WritesAreReadAtOnceByAllWhoKnowOfThem) {
  const Connection writer = Client(), alice = Client("alice"), twin = Client("postgres", "twin");
  ASSERT_TRUE(WaitKnown(pgweir(), "twin"));
  for (int i = 0; i < 50; ++i) {
    Do(writer, i % 3 == 0 ? "begin; update counter set n = n + 1; commit" : kWrite);
    const std::string written = Counter();
    EXPECT_EQ(alice.Value(kRead), written);
    EXPECT_EQ(twin.Value(kRead), written);
    EXPECT_EQ(alice.Value(kRead), written);
  }
  EXPECT_TRUE(Repeats(alice, kRead));
}

// Situation 39: who commits need not be who wrote.
TEST_F(CacheTransactions, PreparedTransactionsOutdateAtTheirCommit) {
  const Connection writer = Client(), finisher = Client("postgres", "twin"), reader = Client();
  const std::string before = reader.Value(kRead);
  Do(writer, "begin");
  Do(writer, kWrite);
  Do(writer, "prepare transaction 'one'");
  EXPECT_EQ(reader.Value(kRead), before);
  EXPECT_EQ(reader.Value(kRead), before);
  Do(finisher, "commit prepared 'one'");
  EXPECT_EQ(reader.Value(kRead), Counter());
  EXPECT_NE(reader.Value(kRead), before);
  Do(writer, "begin");
  Do(writer, kWrite);
  Do(writer, "prepare transaction 'two'");
  Do(finisher, "rollback prepared 'two'");
  EXPECT_EQ(reader.Value(kRead), Counter());
}

// Situation 40.
TEST_F(CacheTransactions, PipelinesOutdateWhenTheyCommit) {
  RawClient writer = RawClient::Login(port());
  const Connection reader = Client();
  reader.Value(kRead);
  // Carried out, and not committed before Sync.
  writer.Send(fe::Extended(kWrite) + fe::Flush());
  writer.ReadUntil('C');
  const std::string before = Counter();
  EXPECT_EQ(reader.Value(kRead), before);
  EXPECT_EQ(reader.Value(kRead), before);
  writer.Send(fe::Sync());
  writer.ReadUntilReady();
  EXPECT_NE(Counter(), before);
  EXPECT_EQ(reader.Value(kRead), Counter());

  writer.Send(fe::Extended(kWrite) + fe::Sync() + fe::Extended(kRead) + fe::Sync() +
              fe::Extended(kWrite) + fe::Sync() + fe::Query(kRead));
  writer.ReadUntilReady();
  const std::string second = Line(writer.ReadUntilReady());
  writer.ReadUntilReady();
  const std::string last = Line(writer.ReadUntilReady());
  EXPECT_EQ(last, fmt::format("T D({}) C(SELECT 1) ZI", Counter()));
  EXPECT_EQ(second, fmt::format("1 2 T D({}) C(SELECT 1) ZI", std::stoi(Counter()) - 1));
  EXPECT_EQ(reader.Value(kRead), Counter());
  // Several statements of one Query commit together, at its end.
  writer.Query(fmt::format("{0}; {0}", kWrite));
  EXPECT_EQ(reader.Value(kRead), Counter());
}

// Races, their schedule forced by a gate between pgweir and the server: the database "gated" goes
// by it, the others don't, and all are the same one.
class CacheRaces : public CacheTransactions {
 protected:
  void SetUp() override {
    gate_ = std::make_unique<Gate>(server().port());
    PgweirOptions options = Options();
    options.databases += DatabaseToml("gated", gate_->port(), "dbname=postgres sslmode=disable");
    process_ = Start(options);
    ASSERT_TRUE(WaitKnown(*process_));
    ASSERT_TRUE(WaitKnown(*process_, "gated"));
    Console("cache flush", *process_);
  }
  void TearDown() override {
    EXPECT_TRUE(process_->Running());
    if (HasFailure()) process_->ShowLog();
    process_.reset();
    gate_.reset();
  }
  Connection Direct() const { return Connection(process_->Conninfo()); }
  Connection Gated() const { return Connection(process_->Conninfo("postgres", "gated")); }

  std::unique_ptr<Gate> gate_;
  std::unique_ptr<PgweirProcess> process_;
};

// Situation 36: the answer is on its way when another client commits.
TEST_F(CacheRaces, AnAnswerThatAWriteOvertakesIsNotStored) {
  const Connection reader = Gated(), writer = Direct();
  reader.Value("select 1");
  gate_->Arm({.side = Side::kToClient, .type = 'D', .after = false, .cut = Cut::kFreeze});
  reader.Send(kRead);
  ASSERT_TRUE(gate_->WaitFired());
  const std::string before = Counter();
  Do(writer, kWrite);
  gate_->Freeze(false);
  EXPECT_EQ(reader.Next()->Value(), before) << "it asked before";
  while (reader.Next().has_value()) continue;
  EXPECT_EQ(reader.Value(kRead), Counter());
  EXPECT_NE(Counter(), before);
}

// Situation 36: who comes after the write doesn't wait for the answer that lacks it.
TEST_F(CacheRaces, WhoKnowsOfAWriteDoesNotShareAnAnswerFromBefore) {
  const Connection reader = Gated(), writer = Direct(), second = Gated();
  reader.Value("select 1");
  gate_->Arm({.side = Side::kToClient, .type = 'D', .after = false, .cut = Cut::kFreeze});
  reader.Send(kRead);
  ASSERT_TRUE(gate_->WaitFired());
  Do(writer, kWrite);
  EXPECT_EQ(second.Value(kRead), Counter());
  gate_->Freeze(false);
  while (reader.Next().has_value()) continue;
  EXPECT_EQ(second.Value(kRead), Counter());
}

// Situations 36 and 44: from when COMMIT is sent until it is answered, others may see either state
// on the server, and nothing that is older in the cache, nor is anything put there.
TEST_F(CacheRaces, NothingIsServedOrStoredWhileACommitIsOnItsWay) {
  const Connection writer = Gated(), reader = Direct();
  const std::string before = reader.Value(kRead);
  EXPECT_EQ(reader.Value(kRead), before);
  Do(writer, "begin");
  Do(writer, kWrite);
  gate_->Arm({.side = Side::kToClient, .type = 'C', .after = false, .cut = Cut::kFreeze});
  writer.Send("commit");
  ASSERT_TRUE(gate_->WaitFired());
  const std::string seen = reader.Value("select n from counter /* pgweir: cache=off */");
  EXPECT_NE(seen, before);
  EXPECT_EQ(reader.Value(kRead), seen) << "went back behind what it has read";
  EXPECT_FALSE(Repeats(reader, kRead));
  gate_->Freeze(false);
  while (writer.Next().has_value()) continue;
  EXPECT_TRUE(Repeats(reader, kRead));
}

// Situation 37.
TEST_F(CacheRaces, ACommitWhoseAnswerIsLostCountsAsDone) {
  for (const char* sql : {"commit", "update counter set n = n + 1"}) {
    SCOPED_TRACE(sql);
    const Connection writer = Gated(), reader = Direct();
    if (std::string_view(sql) == "commit") Do(writer, "begin; update counter set n = n + 1");
    const std::string before = reader.Value(kRead);
    EXPECT_EQ(reader.Value(kRead), before);
    gate_->Arm({.side = Side::kToClient, .type = 'C', .after = false, .cut = Cut::kReset});
    EXPECT_FALSE(writer.Exec(sql).ok());
    EXPECT_TRUE(gate_->WaitFired());
    EXPECT_NE(Counter(), before);
    EXPECT_EQ(reader.Value(kRead), Counter());
  }
}

// Situation 37: the writer is gone before its write has reached the server.
TEST_F(CacheRaces, AWriterThatIsGoneMayStillCommit) {
  RawClient writer = RawClient::Login(process_->port(), "postgres", "gated");
  const Connection reader = Direct();
  writer.Query("select 1");
  const std::string before = reader.Value(kRead);
  gate_->Arm({.side = Side::kToServer, .type = 'Q', .after = false, .cut = Cut::kFreeze});
  writer.Send(fe::Query(kWrite));
  ASSERT_TRUE(gate_->WaitFired());
  writer.Reset();
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(reader.Value(kRead), before);
  EXPECT_EQ(reader.Value(kRead), before);
  gate_->Freeze(false);
  WaitUntil([&] { return Counter() != before; }, seconds(1));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(reader.Value(kRead), Counter());
}

// Situations 42 and 43.
class CacheReplicas : public testing::Test {
 protected:
  void SetUp() override {
    primary_ = std::make_unique<PostgresServer>(Replicated());
    primary_->Query("create table counter (n int); insert into counter values (0)");
    replica_ = std::make_unique<PostgresServer>(Replicated(primary_.get()));
  }
  void TearDown() override {
    replica_.reset();
    primary_.reset();
  }
  PgweirOptions Options(std::string_view more) const {
    PgweirOptions options;
    options.pool = "size = 5\nhealth_check_interval = \"50ms\"";
    options.databases = fmt::format(
        "[databases.postgres]\nprimary = \"host=127.0.0.1 port={} user=postgres\"\n"
        "replicas = [\"host=127.0.0.1 port={}\"]\n{}\n"
        "[cache]\nenabled = true\n[[cache.rules]]\npattern = \".\"\nttl = \"60s\"\n",
        primary_->port(), replica_->port(), more);
    return options;
  }
  void Pause() const {
    replica_->Query("select pg_wal_replay_pause()");
    EXPECT_TRUE(WaitUntil(
        [&] { return replica_->Query("select pg_get_wal_replay_pause_state()") == "paused"; }));
  }
  bool WaitReplica(const Connection& client) const {
    return WaitUntil([&] {
      return client.Value("select inet_server_port()") == std::to_string(replica_->port());
    });
  }
  // Until answers are kept.
  bool WaitKnown(const Connection& client) const {
    return WaitUntil([&] {
      const std::string first = client.Value("select n, 'known' from counter");
      primary_->Query("update counter set n = n + 1");
      const std::string lsn = primary_->Query("select pg_current_wal_lsn()");
      WaitUntil([&] {
        return replica_->Query(fmt::format("select pg_last_wal_replay_lsn() >= '{}'", lsn)) == "t";
      });
      return client.Value("select n, 'known' from counter") == first;
    });
  }

  std::unique_ptr<PostgresServer> primary_, replica_;
};

// Situation 42.
TEST_F(CacheReplicas, AnswersOfOneThatLagsBehindAreNotStored) {
  for (const char* more :
       {"consistency = \"eventual\"", "consistency = \"eventual\"\nreplica_fallback = \"error\""}) {
    SCOPED_TRACE(more);
    const PgweirProcess process(Options(more));
    const Connection writer(process.Conninfo()), reader(process.Conninfo());
    ASSERT_TRUE(WaitReplica(reader));
    ASSERT_TRUE(WaitKnown(reader));
    Pause();
    EXPECT_TRUE(writer.Exec(kWrite).ok());
    reader.Value(kRead);
    reader.Value(kRead);
    replica_->Query("select pg_wal_replay_resume()");
    const std::string now = primary_->Query(kRead);
    EXPECT_TRUE(WaitUntil([&] { return replica_->Query(kRead) == now; }));
    EXPECT_EQ(reader.Value(kRead), now);
  }
}

// Situation 43: what was lost with the last primary is read no more.
TEST_F(CacheReplicas, AnotherPrimaryOutdatesAll) {
  const PgweirProcess process(Options("consistency = \"primary\""));
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitKnown(client));
  Pause();
  EXPECT_TRUE(client.Exec("update counter set n = -1").ok());
  EXPECT_EQ(client.Value(kRead), "-1");
  EXPECT_EQ(client.Value(kRead), "-1");
  primary_->Stop(StopMode::kImmediate);
  EXPECT_EQ(client.Value(kRead), "-1") << "it is still all that is known";
  // Nothing more comes, and what has come isn't replayed any more than the primary's end was.
  replica_->Query("select pg_wal_replay_resume()");
  replica_->Query("select pg_promote()");
  replica_->Query("update counter set n = 7");
  EXPECT_TRUE(WaitUntil(
      [&] { return Connection(process.Conninfo()).Exec("create table made (x int)").ok(); }));
  EXPECT_EQ(client.Exec(kRead).Value(), "7");
  primary_->Start();
}

}  // namespace
}  // namespace pgweir::test
