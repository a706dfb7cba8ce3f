// Reads that replicas answer, and what never goes there.

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "fmt/format.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ReplicaReads : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    primary_ = std::make_unique<PostgresServer>(Replicated());
    primary_->Query(
        "create table t (n int); insert into t values (1); create sequence s;"
        "create function bump() returns int language sql volatile as 'select 1';"
        "create view drawing as select nextval('s') as n");
    replica_ = std::make_unique<PostgresServer>(Replicated(primary_.get()));
  }
  static void TearDownTestSuite() {
    replica_.reset();
    primary_.reset();
  }
  void TearDown() override {
    if (!replica_->running()) replica_->Start();
    Resume();
  }

  static PgweirOptions Options(std::string_view more = "", std::string_view labels = "") {
    PgweirOptions options;
    options.pool = "size = 5\nhealth_check_interval = \"50ms\"";
    options.databases = fmt::format(
        "[databases.postgres]\nprimary = \"host=127.0.0.1 port={} user=postgres\"\n"
        "replicas = [{{ conninfo = \"host=127.0.0.1 port={}\", labels = [{}] }}]\n{}\n",
        primary_->port(), replica_->port(), labels, more);
    return options;
  }
  static void Pause() {
    replica_->Query("select pg_wal_replay_pause()");
    while (replica_->Query("select pg_get_wal_replay_pause_state()") != "paused") {
      std::this_thread::sleep_for(milliseconds(10));
    }
  }
  static void Resume() {
    if (replica_->Query("select pg_is_wal_replay_paused()") == "t") {
      replica_->Query("select pg_wal_replay_resume()");
    }
  }
  static Result Execute(const Connection& client, const char* name) {
    return Result(PQexecPrepared(client.get(), name, 0, nullptr, nullptr, nullptr, 0));
  }
  // The port of the server that answers.
  static std::string Where(const Connection& client, std::string_view from = "") {
    return client.Value(fmt::format("select inet_server_port() {}", from));
  }
  static std::string Primary() { return std::to_string(primary_->port()); }
  static std::string Replica() { return std::to_string(replica_->port()); }
  // Until the replica is known to be usable.
  static bool WaitReplica(const Connection& client) {
    for (int i = 0; i < 100; ++i) {
      if (client.Exec("select inet_server_port()").Value() == Replica()) return true;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return false;
  }

  static std::unique_ptr<PostgresServer> primary_, replica_;
};
std::unique_ptr<PostgresServer> ReplicaReads::primary_;
std::unique_ptr<PostgresServer> ReplicaReads::replica_;

// Trap 9: nothing but what is surely a read.
TEST_F(ReplicaReads, AreWhatIsSurelyARead) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  EXPECT_EQ(Where(client, "from t"), Replica());
  EXPECT_EQ(Where(client, "from t for share"), Primary());
  EXPECT_EQ(Where(client, "from drawing"), Primary());
  EXPECT_EQ(Where(client, ", bump()"), Primary());
  EXPECT_EQ(Where(client, "from pg_class limit 1"), Primary());
  EXPECT_EQ(client.Value("with x as (insert into t values (2) returning n) select "
                         "inet_server_port() from x"),
            Primary());
}

TEST_F(ReplicaReads, OfTransactionsAreThoseOfReadOnlyOnes) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  client.Exec("begin");
  EXPECT_EQ(Where(client), Primary());
  client.Exec("commit");
  client.Exec("begin isolation level serializable read only");
  EXPECT_EQ(Where(client), Primary());
  client.Exec("commit");
  ASSERT_TRUE(WaitReplica(client));
  client.Exec("begin read only");
  EXPECT_EQ(Where(client), Replica());
  EXPECT_EQ(client.Exec("insert into t values (3)").sqlstate(), "25006");
  client.Exec("rollback");
  EXPECT_TRUE(client.Exec("insert into t values (3)").ok());
}

TEST_F(ReplicaReads, ComeByEveryProtocol) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  constexpr const char* kWhere = "select inet_server_port()";
  EXPECT_EQ(client.ExecParams(kWhere, {}).Value(), Replica());
  const Result prepared(PQprepare(client.get(), "where_am_i", kWhere, 0, nullptr));
  ASSERT_TRUE(prepared.ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Execute(client, "where_am_i").Value(), Replica());
  client.Exec("begin");
  EXPECT_EQ(Execute(client, "where_am_i").Value(), Primary());
  client.Exec("commit");
}

// What comes behind a read before that is answered may be a write.
TEST_F(ReplicaReads, AreNotFollowedByPipelinedWrites) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  RawClient raw = RawClient::Login(process.port());
  raw.Send(fe::Extended("select count(*) from generate_series(1, 3000000)") + fe::Sync());
  EXPECT_TRUE(raw.Silent(50));
  raw.Send(fe::Extended("insert into t values (6)") + fe::Sync());
  EXPECT_EQ(Find(raw.ReadUntilReady(), 'E'), nullptr);
  EXPECT_EQ(Find(raw.ReadUntilReady(), 'E'), nullptr);
  ASSERT_TRUE(WaitReplica(client));
  // A batch that goes on behind a Flush.
  RawClient flushing = RawClient::Login(process.port());
  flushing.Send(fe::Extended("select 1 from t limit 1") + fe::Flush());
  flushing.ReadUntil('C');
  flushing.Send(fe::Extended("insert into t values (7)") + fe::Sync());
  EXPECT_EQ(Find(flushing.ReadUntilReady(), 'E'), nullptr);
  const Result whole = client.Exec("begin read only; select 1; commit; insert into t values (8)");
  EXPECT_TRUE(whole.ok()) << whole.message();
}

// Settings and prepared statements follow the client to whichever server answers.
TEST_F(ReplicaReads, SeeTheSessionsSettings) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  client.Exec("set timezone = 'Asia/Tokyo'; set work_mem = '5MB'");
  ASSERT_TRUE(WaitReplica(client));
  EXPECT_EQ(client.Value("select current_setting('timezone') || current_setting('work_mem') || "
                         "inet_server_port()"),
            "Asia/Tokyo5MB" + Replica());
}

// Trap 11: stale reads.
TEST_F(ReplicaReads, NeverGoBackBehindTheSessionsOwnWrites) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  Pause();
  ASSERT_TRUE(client.Exec("create table own (n int); insert into own values (1)").ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.Value("select count(*) from own"), "1");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(Where(client), Primary());
  Resume();
  EXPECT_TRUE(WaitReplica(client));
  EXPECT_EQ(client.Value("select count(*) from own"), "1");
}

TEST_F(ReplicaReads, MayLagWhereThatIsWanted) {
  const PgweirProcess process(Options("consistency = \"eventual\""));
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  Pause();
  const std::string before = client.Value("select count(*) from t");
  ASSERT_TRUE(client.Exec("insert into t values (1)").ok());
  EXPECT_EQ(Where(client), Replica());
  EXPECT_EQ(client.Value("select count(*) from t"), before);
  client.Exec("set pgweir.consistency = 'session'");
  EXPECT_NE(client.Value("select count(*) from t"), before);
}

TEST_F(ReplicaReads, AreNotWantedWithConsistencyPrimary) {
  const PgweirProcess process(Options("consistency = \"primary\""));
  const Connection client(process.Conninfo());
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(Where(client), Primary());
}

TEST_F(ReplicaReads, FollowTheRoleThatTheSessionSets) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  ASSERT_TRUE(client.Exec("set pgweir.role = 'primary'").ok());
  EXPECT_EQ(Where(client), Primary());
  ASSERT_TRUE(client.Exec("set pgweir.role = 'replica'").ok());
  ASSERT_TRUE(WaitReplica(client));
  EXPECT_EQ(client.Value("select count(*) > 0 from pg_class"), "t");
  EXPECT_EQ(client.Exec("insert into t values (4)").sqlstate(), "25006");
}

TEST_F(ReplicaReads, OfLabelledReplicasAreAskedFor) {
  const PgweirProcess process(Options("", "\"reports\""));
  const Connection plain(process.Conninfo()), analyst(process.Conninfo());
  analyst.Exec("set pgweir.role = 'reports'");
  ASSERT_TRUE(WaitReplica(analyst));
  EXPECT_EQ(Where(plain), Primary());
}

TEST_F(ReplicaReads, FollowComments) {
  const PgweirProcess process(Options("consistency = \"eventual\""));
  const Connection client(process.Conninfo());
  ASSERT_TRUE(WaitReplica(client));
  EXPECT_EQ(Where(client, "/* pgweir: role=primary */"), Primary());
  EXPECT_EQ(Where(client, "from pg_class limit 1 /* pgweir: role=replica */"), Replica());
  EXPECT_EQ(client.Exec("insert into t values (9) /* pgweir: role=replica */").sqlstate(), "25006");
  EXPECT_EQ(client.Exec("select 1 /* pgweir: role=second */").sqlstate(), "22023");
  EXPECT_EQ(client.Exec("select 1 /* pgweir: lable=x */").sqlstate(), "22023");
  EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
  EXPECT_EQ(Where(client, ", 'pgweir: role=primary'"), Replica());
  const Result prepared(PQprepare(client.get(), "at_primary",
                                  "/* pgweir: role=primary */ select inet_server_port()", 0,
                                  nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  EXPECT_EQ(Execute(client, "at_primary").Value(), Primary());
  // Over the session's own role.
  client.Exec("set pgweir.role = 'primary'");
  EXPECT_EQ(Where(client), Primary());
  EXPECT_EQ(Where(client, "/* pgweir: role=replica */"), Replica());
  client.Exec("set pgweir.role = 'replica'");
  EXPECT_EQ(Where(client, "/* pgweir: role=primary */"), Primary());
  EXPECT_EQ(Where(client, "for share /* pgweir: role=auto */"), Primary());
}

TEST_F(ReplicaReads, OfOneCommentGoToALabelledReplica) {
  const PgweirProcess process(Options("consistency = \"eventual\"", "\"reports\""));
  const Connection client(process.Conninfo()), analyst(process.Conninfo());
  analyst.Exec("set pgweir.role = 'reports'");
  ASSERT_TRUE(WaitReplica(analyst));
  EXPECT_EQ(Where(client), Primary());
  EXPECT_EQ(Where(client, "/* pgweir: label=reports */"), Replica());
  EXPECT_EQ(Where(client, "from pg_class limit 1 /* pgweir: label=reports */"), Primary());
  EXPECT_EQ(Where(client, "from pg_class limit 1 /* pgweir: role=replica, label=reports */"),
            Replica());
  EXPECT_EQ(Where(client, "/* pgweir: label=others */"), Primary());
}

// The user before the application, pgweir.role and comments before both.
TEST_F(ReplicaReads, OfUsersAndApplicationsGoToTheirLabel) {
  PgweirOptions options = Options(
      "labels = { users = { postgres = \"reports\" }, application_names = { "
      "metabase = \"reports\", others = \"reports\" } }",
      "\"reports\"");
  const PgweirProcess by_user(options);
  const Connection analyst(by_user.Conninfo());
  ASSERT_TRUE(WaitReplica(analyst));
  EXPECT_EQ(Where(analyst, "from t"), Replica());
  EXPECT_EQ(Where(analyst, "from pg_class limit 1"), Primary());
  EXPECT_TRUE(analyst.Exec("insert into t values (10)").ok());
  EXPECT_EQ(Where(analyst, "/* pgweir: role=primary */"), Primary());
  analyst.Exec("set pgweir.role = 'primary'");
  EXPECT_EQ(Where(analyst), Primary());

  options = Options("labels = { application_names = { metabase = \"reports\" } }", "\"reports\"");
  options.listen += "\napplication_name_add_host = true";
  const PgweirProcess by_application(options);
  const Connection plain(by_application.Conninfo());
  const Connection metabase(by_application.Conninfo() + " application_name=metabase");
  ASSERT_TRUE(WaitReplica(metabase));
  EXPECT_EQ(Where(plain), Primary());
  plain.Exec("set application_name = 'metabase'");
  EXPECT_TRUE(WaitReplica(plain));
  plain.Exec("set application_name = 'metabase 2'");
  EXPECT_EQ(Where(plain), Primary());
}

TEST_F(ReplicaReads, FallBackToThePrimaryOrAreRefused) {
  const PgweirProcess falling(Options()), refusing(Options("replica_fallback = \"error\""));
  const Connection one(falling.Conninfo()), other(refusing.Conninfo());
  ASSERT_TRUE(WaitReplica(one));
  ASSERT_TRUE(WaitReplica(other));
  replica_->Stop();
  EXPECT_EQ(Where(one), Primary());
  std::string refusal;
  for (int i = 0; i < 100 && refusal.empty(); ++i) {
    refusal = other.Exec("select 1 from t").sqlstate();
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(refusal, "57P03");
  EXPECT_TRUE(other.Exec("insert into t values (5)").ok());
  replica_->Start();
  EXPECT_TRUE(WaitReplica(one));
  EXPECT_TRUE(WaitReplica(other));
}

// What it was doing is done again by another server, unseen.
TEST_F(ReplicaReads, SurviveTheirReplicasDeath) {
  const PgweirProcess process(Options());
  {
    const Connection client(process.Conninfo());
    ASSERT_TRUE(WaitReplica(client));
  }
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      const Connection client(process.Conninfo());
      const Result prepared(PQprepare(client.get(), "p", "select count(*) from t", 0, nullptr));
      while (!done) {
        const Result result =
            i % 2 == 0 ? client.Exec("select count(*) from t") : Execute(client, "p");
        EXPECT_TRUE(result.ok()) << result.message();
        if (!result.ok()) return;
        ++reads;
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(300));
    replica_->Stop(StopMode::kImmediate);
    std::this_thread::sleep_for(milliseconds(300));
    replica_->Start();
  }
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_GT(reads, 100);
}

// A standby that gives up a read for the sake of replaying: the primary answers it.
TEST_F(ReplicaReads, SurviveRecoveryConflicts) {
  const PgweirProcess process(Options());
  const Connection client(process.Conninfo());
  primary_->Query("create table conflicting as select generate_series(1, 1000) n");
  ASSERT_TRUE(WaitReplica(client));
  replica_->Query("alter system set max_standby_streaming_delay = '10ms'");
  replica_->Query("select pg_reload_conf()");
  std::thread vacuum([] {
    std::this_thread::sleep_for(milliseconds(300));
    primary_->Query("truncate conflicting");
  });
  const Result result = client.Exec(
      "select count(*), (select count(*) from generate_series(1, 30000000)) from conflicting");
  vacuum.join();
  EXPECT_TRUE(result.ok()) << result.message();
}

// The checker: each session writes a number and reads it back at once, while replaying stops and
// goes on at random. Counts the reads that went back behind the session's own write.
class ReadYourWrites : public ReplicaReads {
 protected:
  static void SetUpTestSuite() {
    ReplicaReads::SetUpTestSuite();
    primary_->Query("create table own (session int primary key, n int)");
    for (int i = 0; i < kSessions; ++i) {
      primary_->Query(fmt::format("insert into own values ({}, 0)", i));
    }
  }

  struct Outcome {
    int writes = 0, reads = 0, from_replica = 0, behind = 0;
  };
  static Outcome Check(std::string_view consistency, milliseconds time) {
    const PgweirProcess process(Options(fmt::format("consistency = \"{}\"", consistency)));
    {
      const Connection client(process.Conninfo());
      EXPECT_TRUE(WaitReplica(client));
    }
    const auto end = std::chrono::steady_clock::now() + time;
    std::vector<Outcome> outcomes(kSessions);
    std::vector<std::thread> sessions;
    for (int i = 0; i < kSessions; ++i) {
      sessions.emplace_back([&, i] {
        const Connection client(process.Conninfo());
        std::minstd_rand random(static_cast<unsigned>(i));
        const std::string read =
            fmt::format("select n || ' ' || inet_server_port() from own where session = {}", i);
        for (int n = 1; std::chrono::steady_clock::now() < end; ++n) {
          const auto wrote =
              client.Exec(fmt::format("update own set n = {} where session = {}", n, i));
          EXPECT_TRUE(wrote.ok()) << wrote.message();
          ++outcomes[static_cast<size_t>(i)].writes;
          for (unsigned reads = random() % 20; reads > 0; --reads) {
            const std::string answer = client.Value(read);
            ++outcomes[static_cast<size_t>(i)].reads;
            if (answer.ends_with(Replica())) ++outcomes[static_cast<size_t>(i)].from_replica;
            if (std::stoi(answer) != n) ++outcomes[static_cast<size_t>(i)].behind;
            std::this_thread::sleep_for(milliseconds(random() % 10));
          }
        }
      });
    }
    std::minstd_rand random(4711);
    while (std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(random() % 200));
      replica_->Query("select pg_wal_replay_pause()");
      std::this_thread::sleep_for(milliseconds(random() % 200));
      replica_->Query("select pg_wal_replay_resume()");
    }
    Outcome sum;
    for (int i = 0; i < kSessions; ++i) {
      sessions[static_cast<size_t>(i)].join();
      const Outcome& one = outcomes[static_cast<size_t>(i)];
      sum.writes += one.writes;
      sum.reads += one.reads;
      sum.from_replica += one.from_replica;
      sum.behind += one.behind;
    }
    std::printf("%s: %d writes, %d reads, %d from the replica, %d behind\n",
                std::string(consistency).c_str(), sum.writes, sum.reads, sum.from_replica,
                sum.behind);
    return sum;
  }

  static constexpr int kSessions = 4;
};

// Trap 11: stale reads, looked for at random.
TEST_F(ReadYourWrites, HoldsInSessionConsistency) {
  const Outcome outcome = Check("session", seconds(5));
  EXPECT_GT(outcome.from_replica, 10);
  EXPECT_EQ(outcome.behind, 0);
}

// Else the checker would see nothing.
TEST_F(ReadYourWrites, DoesNotHoldInEventualConsistency) {
  const Outcome outcome = Check("eventual", seconds(3));
  EXPECT_GT(outcome.behind, 0);
}

}  // namespace
}  // namespace pgweir::test
