// Cancel requests: they reach the statement that they mean, or nothing.

#include "tests/proxy/cancel_storm.h"
#include "tests/support/proxy_test.h"
#include "wire/protocol.h"

namespace pgweir::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

class Cancel : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    process_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.pool = "size = 2", .databases = DatabaseToml("*", server().port())});
  }
  void TearDown() override {
    process_.reset();
    ProxyTest::TearDown();
  }

  Connection Client() const { return Connection(process_->Conninfo()); }

  // Sends a CancelRequest; true when the peer then closes without a word, as it must.
  bool Request(std::string_view key) const {
    RawClient client(process_->port());
    client.Send(fe::Int32(static_cast<uint32_t>(key.size() + 8)) +
                fe::Int32(wire::kCancelRequestCode) + std::string(key));
    return client.ClosedByPeer();
  }

  std::unique_ptr<PgweirProcess> process_;
};

TEST_F(Cancel, EndsARunningStatement) {
  Connection client = Client();
  auto start = steady_clock::now();
  client.Send("select pg_sleep(30)");
  EXPECT_FALSE(client.Ready(200));
  EXPECT_EQ(client.Cancel(), "");
  ASSERT_TRUE(client.Ready(5000));
  EXPECT_EQ(client.Next()->sqlstate(), "57014");
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  EXPECT_FALSE(client.Next());
  EXPECT_EQ(client.Value("select 1"), "1");
}

TEST_F(Cancel, LeavesItsTransactionFailed) {
  Connection client = Client();
  client.Exec("begin");
  client.Send("select pg_sleep(30)");
  EXPECT_FALSE(client.Ready(100));
  client.Cancel();
  EXPECT_EQ(client.Next()->sqlstate(), "57014");
  EXPECT_FALSE(client.Next());
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_TRUE(client.Exec("rollback").ok());
}

// Rule 13: a statement that still waits for a backend is taken from the queue.
TEST_F(Cancel, TakesAQueuedStatementFromTheQueue) {
  server().Query("drop table if exists queued; create table queued (n int)");
  Connection one = Client();
  Connection two = Client();
  one.Exec("begin");
  two.Exec("begin");
  Connection waiting = Client();
  waiting.Send("insert into queued values (1)");
  EXPECT_FALSE(waiting.Ready(200));
  EXPECT_EQ(waiting.Cancel(), "");
  ASSERT_TRUE(waiting.Ready(5000));
  EXPECT_EQ(waiting.Next()->sqlstate(), "57014");
  EXPECT_FALSE(waiting.Next());
  EXPECT_EQ(waiting.transaction(), PQTRANS_IDLE);
  one.Exec("commit");
  two.Exec("commit");
  EXPECT_EQ(waiting.Value("select count(*) from queued"), "0");
}

// Rule 13: of a queued extended batch, all is skipped up to its Sync.
TEST_F(Cancel, TakesAQueuedBatchFromTheQueue) {
  Connection one = Client();
  Connection two = Client();
  one.Exec("begin");
  two.Exec("begin");
  RawClient waiting = RawClient::Login(process_->port());
  waiting.Send(fe::Extended("select 1") + fe::Sync());
  EXPECT_TRUE(waiting.Silent(100));
  EXPECT_TRUE(Request(Find(waiting.welcome(), 'K')->body));
  std::vector<Message> answer = waiting.ReadUntilReady();
  EXPECT_EQ(Types(answer), "EZ");
  EXPECT_EQ(Field(answer.front(), 'C'), "57014");
  one.Exec("commit");
  EXPECT_EQ(Types(waiting.Query("select 1")), "TDCZ");
}

// Rule 12: what comes too late cancels nothing, its own next statement neither.
TEST_F(Cancel, OfAFinishedStatementDoesNothing) {
  Connection client = Client();
  client.Value("select 1");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.Cancel(), "");
    EXPECT_EQ(client.Value("select pg_sleep(0.01)"), "");
  }
}

// Rule 11
TEST_F(Cancel, WithAWrongKeyDoesNothingAndSaysNothing) {
  RawClient client = RawClient::Login(process_->port());
  client.Send(fe::Query("select pg_sleep(0.5)"));
  EXPECT_TRUE(client.Silent(100));
  std::string key = Find(client.welcome(), 'K')->body;
  for (size_t byte = 0; byte < key.size(); ++byte) {
    std::string wrong = key;
    wrong[byte] = static_cast<char>(wrong[byte] ^ 1);
    EXPECT_TRUE(Request(wrong));
  }
  EXPECT_TRUE(Request(key.substr(0, 4)));
  EXPECT_TRUE(Request(key + "more"));
  EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
}

// Rule 11: the key ends with its session.
TEST_F(Cancel, KeyOfAnEndedSessionIsWorthless) {
  std::string key;
  {
    RawClient gone = RawClient::Login(process_->port());
    key = Find(gone.welcome(), 'K')->body;
  }
  std::vector<RawClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(RawClient::Login(process_->port()));
    clients.back().Send(fe::Query("select pg_sleep(0.3)"));
  }
  EXPECT_TRUE(Request(key));
  for (RawClient& client : clients) EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
}

// Rules 12 and 14
TEST_F(Cancel, NeverHitsANeighbour) { CancelStorm(process_->Conninfo(), 150); }

}  // namespace
}  // namespace pgweir::test
