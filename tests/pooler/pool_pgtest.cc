// Pools against a real server, seen from the workers' threads.

#include "pooler/pool.h"

#include <gtest/gtest.h>

#include "tests/net/on_worker.h"
#include "tests/support/postgres_server.h"
#include "tests/support/wait_until.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<test::PostgresServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  PoolTest() : connector_(4), canceller_(1, 10) {
    for (int i = 0; i < 2; ++i) {
      workers_.push_back(std::make_unique<net::Worker>(i));
      workers_[static_cast<size_t>(i)]->Start("pool-test");
    }
  }
  ~PoolTest() override {
    if (pool_ != nullptr) pool_->Close();
    for (auto& worker : workers_) worker->Stop();
    for (auto& worker : workers_) worker->Join();
  }

  Pool& MakePool(int size, int overflow = 0) {
    config::Pool limits;
    limits.size = size;
    limits.overflow = overflow;
    Target target;
    target.connection_string = server_->Conninfo();
    pool_ = Pool::Make("test", target, limits, {std::make_shared<Quotas>(), {}},
                       PoolServices{connector_, canceller_, workers_});
    return *pool_;
  }

  // Runs `function` on a worker and waits for it.
  void On(int worker, absl::AnyInvocable<void()> function) {
    std::promise<void> done;
    workers_[static_cast<size_t>(worker)]->Post([&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  // A client on a worker: its event, its place in the queue, its lease. Steps run on the worker.
  struct Client {
    explicit Client(net::Worker& worker) : event(worker) {}
    net::Event event;
    std::unique_ptr<Pool::Waiting> waiting;
    Lease lease;
  };
  std::unique_ptr<Client> Join(int worker) {
    std::unique_ptr<Client> client;
    On(worker, [&] {
      client = std::make_unique<Client>(*workers_[static_cast<size_t>(worker)]);
      client->waiting = std::make_unique<Pool::Waiting>(*pool_, client->event);
    });
    return client;
  }
  // Whether the client has its backend now, or within the time.
  bool Gets(int worker, Client& client, milliseconds within = milliseconds(0)) {
    const TimePoint until = Clock::now() + within;
    while (true) {
      On(worker, [&] {
        auto outcome = client.waiting->Poll();
        if (outcome.ok() && *outcome) client.lease = *std::move(outcome);
      });
      if (client.lease || Clock::now() >= until) return static_cast<bool>(client.lease);
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  void Return(int worker, Client& client) {
    On(worker, [&] { client.lease.Return(); });
  }
  void Leave(int worker, std::unique_ptr<Client> client) {
    On(worker, [&] { client.reset(); });
  }

  static std::unique_ptr<test::PostgresServer> server_;
  std::vector<std::unique_ptr<net::Worker>> workers_;
  Connector connector_;
  Canceller canceller_;
  std::shared_ptr<Pool> pool_;
};

std::unique_ptr<test::PostgresServer> PoolTest::server_;

TEST_F(PoolTest, ServesThoseWhoWaitInOrderAcrossWorkers) {
  MakePool(1);
  auto first = Join(0);
  ASSERT_TRUE(Gets(0, *first, seconds(5)));
  auto second = Join(1);
  auto third = Join(0);
  EXPECT_FALSE(Gets(0, *third));
  Return(0, *first);
  EXPECT_TRUE(Gets(1, *second, seconds(1)));
  EXPECT_FALSE(Gets(0, *third));
  Return(1, *second);
  EXPECT_TRUE(Gets(0, *third, seconds(1)));
  Leave(0, std::move(first));
  Leave(1, std::move(second));
  Return(0, *third);
  Leave(0, std::move(third));
  EXPECT_EQ(pool_->counts().idle, 1);
}

// Granted and timed out in the same instant: the backend ends back in the pool.
TEST_F(PoolTest, GrantThatNobodyTakesGoesBack) {
  MakePool(1);
  auto first = Join(0);
  ASSERT_TRUE(Gets(0, *first, seconds(5)));
  for (int i = 0; i < 100; ++i) {
    auto leaving = Join(i % 2);
    Return(0, *first);  // granted to the one that is about to leave
    EXPECT_EQ(pool_->counts().idle, 0);
    Leave(i % 2, std::move(leaving));
    EXPECT_EQ(pool_->counts().idle, 1);
    first->waiting.reset();
    Leave(0, std::move(first));
    first = Join(0);
    ASSERT_TRUE(Gets(0, *first, seconds(1)));
  }
  Leave(0, std::move(first));
}

TEST_F(PoolTest, NobodyOvertakesTheQueue) {
  MakePool(1);
  auto first = Join(0);
  ASSERT_TRUE(Gets(0, *first, seconds(5)));
  auto second = Join(1);
  On(0, [&] {
    first->lease.Return();
    net::Event event(*workers_[0]);
    EXPECT_FALSE(static_cast<bool>(pool_->TryAcquire(event)));
  });
  EXPECT_TRUE(Gets(1, *second, seconds(1)));
  Leave(1, std::move(second));
  Leave(0, std::move(first));
}

TEST_F(PoolTest, HasASpareWhereAnotherIsIdle) {
  Pool& pool = MakePool(2);
  net::Event event(*workers_[0]);
  Lease spare;
  const auto take = [&] {
    On(0, [&] { spare = pool.TryAcquireSpare(event, 0); });
    return static_cast<bool>(spare);
  };
  EXPECT_FALSE(take());
  pool.OpenSpare();
  pool.OpenSpare();
  EXPECT_TRUE(test::WaitUntil(take));
  EXPECT_EQ(pool.counts().open(), 2);
  On(0, [&] { spare.Return(); });
  auto client = Join(0);
  ASSERT_TRUE(Gets(0, *client, seconds(5)));
  // What it would take is the next client's.
  pool.OpenSpare();
  EXPECT_EQ(pool.counts().connecting, 0);
  auto other = Join(0);
  ASSERT_TRUE(Gets(0, *other, seconds(5)));
  Return(0, *other);
  EXPECT_FALSE(take());
  Return(0, *client);
  EXPECT_TRUE(take());
  On(0, [&] { spare.Return(); });
  Leave(0, std::move(client));
  Leave(0, std::move(other));
}

TEST_F(PoolTest, DiscardedBackendIsReplacedForWhoWaits) {
  MakePool(1);
  auto first = Join(0);
  ASSERT_TRUE(Gets(0, *first, seconds(5)));
  const BackendId before = first->lease->id();
  auto second = Join(1);
  On(0, [&] { first->lease.Discard(); });
  ASSERT_TRUE(Gets(1, *second, seconds(5)));
  EXPECT_NE(second->lease->id(), before);
  Leave(1, std::move(second));
  Leave(0, std::move(first));
}

// Rule 65
TEST_F(PoolTest, BackendThatEndsWhileIdleIsNoticed) {
  MakePool(1);
  auto client = Join(0);
  ASSERT_TRUE(Gets(0, *client, seconds(5)));
  const int pid = client->lease->process_id();
  Return(0, *client);
  server_->Query("select pg_terminate_backend(" + std::to_string(pid) + ")");
  for (int i = 0; i < 500 && pool_->counts().idle > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(pool_->counts().idle, 0);
  Leave(0, std::move(client));
}

TEST_F(PoolTest, OverflowEndsWhenNobodyWaits) {
  MakePool(1, 1);
  auto first = Join(0);
  auto second = Join(1);
  ASSERT_TRUE(Gets(0, *first, seconds(5)));
  ASSERT_TRUE(Gets(1, *second, seconds(5)));
  Return(1, *second);
  EXPECT_EQ(pool_->counts().leased + pool_->counts().idle, 1);
  Leave(1, std::move(second));
  Leave(0, std::move(first));
}

// Rule 12: until the cancel has been dealt with, nobody else gets the backend.
TEST_F(PoolTest, BackendBeingCancelledIsHeldBack) {
  MakePool(1);
  auto client = Join(0);
  ASSERT_TRUE(Gets(0, *client, seconds(5)));
  std::promise<void> cancelled;
  On(0, [&] {
    pool_->Cancel(*client->lease, [&] { cancelled.set_value(); });
    client->lease.Return();
    EXPECT_EQ(pool_->counts().idle, 0);
  });
  cancelled.get_future().get();
  for (int i = 0; i < 500 && pool_->counts().idle == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(pool_->counts().idle, 1);
  Leave(0, std::move(client));
}

Status OpenFails(Connector& connector, const std::string& conninfo) {
  std::promise<Status> outcome;
  Target target;
  target.connection_string = conninfo;
  connector.Open(target, {seconds(5), seconds(1)},
                 [&](auto opened) { outcome.set_value(opened.status()); });
  return outcome.get_future().get();
}

// Rule 19
TEST_F(PoolTest, FailedLoginCarriesTheServersWords) {
  const Status no_database =
      OpenFails(connector_, server_->Conninfo("postgres", "there_is_no_such_database"));
  EXPECT_EQ(SqlStateOf(no_database), "3D000");
  EXPECT_EQ(MessageOf(no_database), "database \"there_is_no_such_database\" does not exist");
  EXPECT_EQ(SqlStateOf(OpenFails(connector_, server_->Conninfo("nobody"))), "28000");
  EXPECT_EQ(SqlStateOf(OpenFails(connector_, "host=127.0.0.1 port=1 dbname=x user=y")), "08001");
}

}  // namespace
}  // namespace pgweir::pooler
