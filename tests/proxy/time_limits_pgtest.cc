// What ends a client that takes longer than it may.

#include <fmt/format.h>

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;

class TimeLimit : public ProxyTest {
 protected:
  void Start(std::string_view pool) {
    process_ = std::make_unique<PgweirProcess>(
        PgweirOptions{.pool = fmt::format("size = 1\n{}", pool),
                      .databases = DatabaseToml("*", server().port())});
  }
  void TearDown() override {
    process_.reset();
    ProxyTest::TearDown();
  }
  // The SQLSTATE that comes unasked and ends the connection.
  static std::string Farewell(RawClient& client) {
    const std::string sqlstate = Field(client.Expect('E'), 'C');
    EXPECT_TRUE(client.ClosedByPeer());
    return sqlstate;
  }

  std::unique_ptr<PgweirProcess> process_;
};

TEST_F(TimeLimit, OfAQueryCancelsItAndKeepsTheClient) {
  Start("query_timeout = \"200ms\"");
  Connection client(process_->Conninfo());
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Exec("select pg_sleep(20)").sqlstate(), "57014");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.Exec("select pg_sleep(0.05)").ok());
}

TEST_F(TimeLimit, OfAnIdleTransactionEndsItAndKeepsTheBackend) {
  Start("idle_transaction_timeout = \"150ms\"");
  RawClient client = RawClient::Login(process_->port());
  client.Query("select pg_sleep(0.3)");
  const std::string pid = Columns(*Find(client.Query("select pg_backend_pid()"), 'D')).front();
  client.Query("begin");
  EXPECT_EQ(Farewell(client), "25P03");
  Connection next(process_->Conninfo());
  EXPECT_EQ(next.Value("select pg_backend_pid()"), pid);
  EXPECT_EQ(next.transaction(), PQTRANS_IDLE);
}

TEST_F(TimeLimit, OfATransactionCountsItsWork) {
  Start("transaction_timeout = \"300ms\"");
  RawClient client = RawClient::Login(process_->port());
  client.Query("begin");
  client.Query("select pg_sleep(0.1)");
  client.Send(fe::Query("select pg_sleep(20)"));
  EXPECT_EQ(Farewell(client), "25P04");
  Connection next(process_->Conninfo());
  EXPECT_TRUE(next.Exec("select 1").ok());
}

TEST_F(TimeLimit, OfAnIdleClientEndsIt) {
  Start("client_idle_timeout = \"200ms\"");
  RawClient client = RawClient::Login(process_->port());
  for (int i = 0; i < 4; ++i) client.Query("select pg_sleep(0.1)");
  EXPECT_EQ(Farewell(client), "57P05");
}

TEST_F(TimeLimit, WhoWaitsIsTold) {
  Start("query_wait_notify = \"100ms\"");
  RawClient one = RawClient::Login(process_->port());
  RawClient two = RawClient::Login(process_->port());
  one.Query("begin");
  two.Send(fe::Query("select 1"));
  const Message notice = two.Expect('N');
  EXPECT_NE(Field(notice, 'M').find("waits"), std::string::npos);
  one.Query("rollback");
  EXPECT_EQ(Types(two.ReadUntilReady()), "TDCZ");
}

}  // namespace
}  // namespace pgweir::test
