// Backends that die under a client: what it is told, and that nobody else notices.

#include "tests/support/gated_test.h"

namespace pgweir::test {
namespace {

class Death : public GatedTest {
 protected:
  static void Terminate(const std::string& pid) {
    server().Query("select pg_terminate_backend(" + pid + ")");
  }
};

// Rule 66
TEST_F(Death, FatalOfATerminatedBackendIsForwarded) {
  Connection client = Client();
  Connection neighbour = Client();
  neighbour.Exec("begin");
  std::string other = Pid(neighbour);
  client.Exec("begin");
  std::string pid = Pid(client);
  client.Send("select pg_sleep(30)");
  EXPECT_FALSE(client.Ready(200));
  Terminate(pid);
  ASSERT_TRUE(client.Ready(5000));
  EXPECT_EQ(client.Next()->sqlstate(), "57P01");
  EXPECT_EQ(Pid(neighbour), other);
  EXPECT_TRUE(neighbour.Exec("commit").ok());
}

// Rule 66
TEST_F(Death, FatalBetweenStatementsOfATransactionIsForwarded) {
  RawClient client = RawClient::Login(process_->port());
  client.Query("begin");
  Terminate(Columns(*Find(client.Query("select pg_backend_pid()"), 'D')).front());
  EXPECT_EQ(Field(client.Expect('E'), 'C'), "57P01");
  EXPECT_TRUE(client.ClosedByPeer());
}

// Rule 28: an end without a word is 08006.
TEST_F(Death, SilentLossIs08006) {
  for (Cut cut : {Cut::kReset, Cut::kFinish}) {
    Connection client = Client();
    Connection neighbour = Client();
    neighbour.Exec("begin");
    client.Exec("begin");
    client.Exec("insert into written values (1)");
    gate_->Arm({.type = 'Q', .count = 1, .after = true, .cut = cut});
    EXPECT_EQ(client.Exec("select pg_sleep(1)").sqlstate(), "08006") << client.error();
    EXPECT_TRUE(neighbour.Exec("commit").ok()) << neighbour.error();
    EXPECT_EQ(server().Query("select count(*) from written"), "0");
  }
}

TEST_F(Death, SilentLossWithinAnExtendedBatchIs08006) {
  Connection client = Client();
  client.Exec("begin");
  gate_->Arm({.type = 'E', .count = 1, .after = false});
  EXPECT_EQ(client.ExecParams("insert into written values ($1)", {"1"}).sqlstate(), "08006");
}

// What has begun to arrive can't be taken back: the client learns of the loss in its place.
TEST_F(Death, LossInTheMiddleOfAResultIsToldOrEndsTheSession) {
  Connection client = Client();
  Pid(client);
  gate_->Arm({.side = Side::kToClient, .count = 3'000'000});
  Result result = client.Exec("select repeat('x', 1000) from generate_series(1, 100000)");
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(result.sqlstate() == "08006" || !client.ok()) << client.error();
  EXPECT_EQ(Client().Value("select 1"), "1");
}

TEST_F(Death, LostAnswerToACommitIs08007) {
  for (bool done : {false, true}) {
    Connection client = Client();
    client.Exec("begin");
    client.Exec("insert into written values (1)");
    // After: the server has carried it out before the answer is lost.
    gate_->Arm({.type = 'Q', .count = 1, .after = done, .also = [] { usleep(100'000); }});
    EXPECT_EQ(client.Exec("commit").sqlstate(), "08007") << client.error();
    EXPECT_EQ(server().Query("select count(*) from written"), done ? "1" : "0");
    server().Query("truncate written");
  }
}

TEST_F(Death, LostAnswerToAnExtendedCommitIs08007) {
  Connection client = Client();
  client.Exec("begin");
  client.Exec("insert into written values (1)");
  gate_->Arm({.type = 'S', .count = 1, .after = true, .also = [] { usleep(100'000); }});
  EXPECT_EQ(client.ExecParams("COMMIT", {}).sqlstate(), "08007") << client.error();
}

// There statements pass as they are, and what is known of them is little.
TEST_F(Death, LostAnswerToAPreparedCommitIs08007InSessionMode) {
  PgweirProcess process({.pool = "mode = \"session\"\nsize = 3",
                         .databases = DatabaseToml("*", gate_->port(), "sslmode=disable")});
  for (const char* before : {"select 1", "deallocate other"}) {
    RawClient client = RawClient::Login(process.port());
    client.Query("prepare other as select 1");
    client.Send(fe::Parse("ends", "commit") + fe::Sync());
    client.ReadUntil('Z');
    client.Query(before);
    client.Query("begin");
    client.Query("insert into written values (1)");
    gate_->Arm({.type = 'S', .count = 1, .after = true, .also = [] { usleep(100'000); }});
    client.Send(fe::Bind("", "ends") + fe::Execute("") + fe::Sync());
    EXPECT_EQ(Field(client.ReadUntil('E').back(), 'C'), "08007") << before;
  }
}

TEST_F(Death, BeginIsRetriedUnseen) {
  for (bool after : {false, true}) {
    Connection client = Client();
    client.Value("select 1");
    gate_->Arm({.type = 'Q', .count = 1, .after = after});
    Result begun = client.Exec("begin");
    EXPECT_TRUE(begun.ok()) << client.error();
    EXPECT_TRUE(gate_->WaitFired());
    EXPECT_EQ(client.transaction(), PQTRANS_INTRANS);
    EXPECT_TRUE(client.Exec("insert into written values (1)").ok());
    EXPECT_TRUE(client.Exec("commit").ok());
  }
  EXPECT_EQ(server().Query("select count(*) from written"), "2");
}

TEST_F(Death, WriteIsNeverRetried) {
  for (bool after : {false, true}) {
    Connection client = Client();
    client.Value("select 1");
    gate_->Arm({.type = 'Q', .count = 1, .after = after, .also = [] { usleep(50'000); }});
    Result result = client.Exec("insert into written values (1)");
    EXPECT_FALSE(result.ok());
    EXPECT_TRUE(result.sqlstate() == "08006" || result.sqlstate() == "08007") << client.error();
    EXPECT_EQ(server().Query("select count(*) from written"), after ? "1" : "0");
    server().Query("truncate written");
  }
}

// A statement that looks like a read and writes isn't surely one.
TEST_F(Death, ReadThatWritesIsNeverDoneTwice) {
  server().Query(
      "create or replace function writes() returns int language sql as "
      "'insert into written values (1) returning id'");
  server().Query("create sequence if not exists counted; select setval('counted', 1)");
  for (const char* sql :
       {"select writes()", "with w as (insert into written values (1) returning 1) select * from w",
        "select nextval('counted')", "select 1; insert into written values (1)",
        "explain analyze insert into written values (1)"}) {
    Connection client = Client();
    client.Value("select 1");
    server().Query("truncate written; select setval('counted', 1)");
    gate_->Arm({.type = 'Q', .count = 1, .after = true, .also = [] { usleep(50'000); }});
    EXPECT_FALSE(client.Exec(sql).ok()) << sql;
    EXPECT_LE(std::stoi(server().Query("select count(*) from written")), 1) << sql;
    EXPECT_LE(std::stoi(server().Query("select last_value from counted")), 2) << sql;
  }
}

TEST_F(Death, SessionGoesOnAfterALoss) {
  Connection client = Client();
  client.Exec("begin");
  gate_->Arm({.type = 'Q', .count = 1, .after = true});
  client.Exec("select pg_sleep(1)");
  // Either the session is kept and clean, or it was ended with a FATAL; never half of either.
  if (client.ok()) {
    EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
    EXPECT_EQ(client.Value("select 1"), "1");
  }
  EXPECT_EQ(Client().Value("select 1"), "1");
}

// What could be asked again by itself is not, behind something that can't.
TEST_F(Death, ASecondRequestIsNoAnswerToTheFirst) {
  RawClient client = RawClient::Login(process_->port());
  client.Query("select 1");
  gate_->Freeze(true);
  client.Send(fe::Query("insert into written values (1) returning id"));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  client.Send(fe::Query("select 1"));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  gate_->CutAll();
  gate_->Freeze(false);
  const Message first = client.Read();
  EXPECT_EQ(first.type, 'E') << "answered: " << first.type;
  EXPECT_EQ(Field(first, 'C'), "08006");
}

}  // namespace
}  // namespace pgweir::test
