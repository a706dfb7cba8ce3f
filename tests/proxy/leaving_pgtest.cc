// Clients that leave in the middle: the backend is cleaned up and kept, and nobody else notices.

#include <thread>

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

class Leaving : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    server().Query("drop table if exists work; create table work (n int)");
    process_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.pool = "size = 1", .databases = DatabaseToml("*", server().port())});
    pid_ = Connection(process_->Conninfo()).Value("select pg_backend_pid()");
  }
  void TearDown() override {
    process_.reset();
    ProxyTest::TearDown();
  }

  RawClient Client() const { return RawClient::Login(process_->port()); }

  // The only backend serves the next client at once, with nothing left behind.
  void ExpectCleanedUp() {
    auto start = steady_clock::now();
    Connection next(process_->Conninfo());
    EXPECT_EQ(next.Value("select pg_backend_pid()"), pid_);
    EXPECT_LT(steady_clock::now() - start, seconds(4));
    EXPECT_EQ(next.Value("select count(*) from work"), "0");
    EXPECT_EQ(next.transaction(), PQTRANS_IDLE);
    EXPECT_EQ(next.Value("select 'in step'"), "in step");
  }

  std::unique_ptr<PgweirProcess> process_;
  std::string pid_;
};

// Rule 70
TEST_F(Leaving, InATransactionRollsBack) {
  for (bool hard : {false, true}) {
    RawClient client = Client();
    client.Query("begin");
    client.Query("insert into work values (1)");
    hard ? client.Reset() : client.Close();
    ExpectCleanedUp();
  }
}

// Rules 29 and 70
TEST_F(Leaving, ByTerminateInATransactionRollsBack) {
  RawClient client = Client();
  client.Query("begin; insert into work values (1)");
  client.Send(fe::Terminate());
  EXPECT_TRUE(client.ClosedByPeer());
  ExpectCleanedUp();
}

TEST_F(Leaving, InAFailedTransactionRollsBack) {
  RawClient client = Client();
  client.Query("begin; insert into work values (1)");
  client.Query("select 1/0");
  client.Close();
  ExpectCleanedUp();
}

// Rule 70
TEST_F(Leaving, WhileAStatementRunsCancelsIt) {
  RawClient client = Client();
  client.Query("begin; insert into work values (1)");
  client.Send(fe::Query("select pg_sleep(60)"));
  EXPECT_TRUE(client.Silent(200));
  client.Close();
  ExpectCleanedUp();
}

// Rule 70
TEST_F(Leaving, InTheMiddleOfAResult) {
  for (bool hard : {false, true}) {
    RawClient client = Client();
    client.Send(fe::Query("select repeat('x', 1000) from generate_series(1, 10000000)"));
    client.Expect('T');
    client.Expect('D');
    hard ? client.Reset() : client.Close();
    ExpectCleanedUp();
  }
}

TEST_F(Leaving, InABatchWithoutItsSync) {
  RawClient client = Client();
  client.Send(fe::Extended("insert into work values (1)") + fe::Flush());
  client.ReadUntil('C');
  client.Close();
  ExpectCleanedUp();
}

TEST_F(Leaving, InAFailedBatchWithoutItsSync) {
  RawClient client = Client();
  client.Send(fe::Extended("select 1/0") + fe::Flush());
  client.ReadUntil('E');
  client.Send(fe::Extended("insert into work values (1)"));
  client.Close();
  ExpectCleanedUp();
}

TEST_F(Leaving, BehindASuspendedPortal) {
  RawClient client = Client();
  client.Send(fe::Parse("", "select generate_series(1, 1000000)") + fe::Bind("", "") +
              fe::Execute("", 10) + fe::Flush());
  client.ReadUntil('s');
  client.Close();
  ExpectCleanedUp();
}

TEST_F(Leaving, InAPipelineNotYetAnswered) {
  RawClient client = Client();
  for (int i = 0; i < 50; ++i) client.Send(fe::Extended("select pg_sleep(0.2)") + fe::Sync());
  client.Close();
  ExpectCleanedUp();
}

TEST_F(Leaving, InCopyIn) {
  for (bool extended : {false, true}) {
    RawClient client = Client();
    std::string_view copy = "copy work from stdin";
    client.Send(extended ? fe::Parse("", copy) + fe::Bind("", "") + fe::Execute("") + fe::Sync()
                         : fe::Query(copy));
    client.ReadUntil('G');
    for (int i = 0; i < 100; ++i) client.Send(fe::CopyData("1\n2\n3\n"));
    client.Close();
    ExpectCleanedUp();
  }
}

// Rule 60
TEST_F(Leaving, InCopyOut) {
  RawClient client = Client();
  client.Send(
      fe::Query("copy (select repeat('x', 1000) from generate_series(1, 10000000)) to stdout"));
  client.ReadUntil('d');
  client.Close();
  ExpectCleanedUp();
}

// Half of a message can't be taken back: that backend is lost, the next client gets another.
TEST_F(Leaving, WithinALargeMessage) {
  RawClient client = Client();
  client.Send("Q" + fe::Int32(30 << 20) + std::string(8 << 20, ' '));
  client.Close();
  Connection next(process_->Conninfo());
  EXPECT_EQ(next.Value("select 'in step'"), "in step");
  EXPECT_TRUE(server().WaitBackends(1, seconds(5)));
}

// A backend that can't be cleaned up in time is given up.
TEST_F(Leaving, BeyondTheBoundCostsTheBackend) {
  PgweirProcess bounded({.pool = "size = 1\ncleanup_timeout = \"500ms\"",
                         .databases = DatabaseToml("*", server().port())});
  server().Query(
      "create or replace function stubborn() returns void language plpgsql as $$ begin loop begin "
      "perform pg_sleep(0.05); exception when query_canceled then null; end; end loop; end $$");
  RawClient client = RawClient::Login(bounded.port());
  client.Send(fe::Query("select stubborn()"));
  EXPECT_TRUE(client.Silent(200));
  client.Close();
  auto start = steady_clock::now();
  Connection next(bounded.Conninfo());
  EXPECT_EQ(next.Value("select 1"), "1");
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  server().Query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%stubborn()%' and "
      "pid <> pg_backend_pid()");
}

TEST_F(Leaving, ManyAtOnce) {
  for (int round = 0; round < 20; ++round) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(Client());
      clients.back().Send(fe::Query("begin; insert into work values (1); select pg_sleep(0.01)"));
    }
  }
  ExpectCleanedUp();
}

// A client that waits for a backend and leaves must not be given one.
TEST_F(Leaving, TheQueue) {
  RawClient holder = Client();
  holder.Query("begin");
  for (int i = 0; i < 10; ++i) {
    RawClient waiting = Client();
    waiting.Send(fe::Query("insert into work values (1)"));
    EXPECT_TRUE(waiting.Silent(20));
    waiting.Close();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  holder.Query("commit");
  ExpectCleanedUp();
}

}  // namespace
}  // namespace pgweir::test
