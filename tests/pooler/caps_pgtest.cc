// Pools that share caps, against a real server.

#include <gtest/gtest.h>

#include "pooler/pools.h"
#include "tests/net/on_worker.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CapsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<test::PostgresServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  CapsTest() : connector_(4), canceller_(1, 10) {
    for (int i = 0; i < 2; ++i) {
      workers_.push_back(std::make_unique<net::Worker>(i));
      workers_.back()->Start("caps-test");
    }
    node_ = quotas_->Get(Quota::Kind::kNode, "n");
  }
  // Whatever a test did, all places have come back.
  ~CapsTest() override {
    clients_.clear();
    for (const auto& pool : pools_) pool->Close();
    pools_.clear();
    EXPECT_TRUE(Becomes([&] { return quotas_->numbers(*node_).used == 0; }));
    EXPECT_EQ(quotas_->numbers(*node_).parting, 0);
    for (auto& worker : workers_) worker->Stop();
    for (auto& worker : workers_) worker->Join();
  }

  static bool Becomes(const std::function<bool()>& condition) {
    const TimePoint until = Clock::now() + seconds(5);
    while (!condition()) {
      if (Clock::now() >= until) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }

  void Limit(int limit) { quotas_->SetLimit(*node_, limit); }
  std::shared_ptr<Pool> MakePool(int min_size = 0, const std::string& user = "postgres") {
    config::Pool limits;
    limits.size = 10;
    limits.min_size = min_size;
    Target target;
    target.connection_string = server_->Conninfo(user);
    const std::string name = "pool" + std::to_string(pools_.size());
    pools_.push_back(Pool::Make(name, target, limits, {quotas_, {node_}},
                                PoolServices{connector_, canceller_, workers_}));
    return pools_.back();
  }

  void On(net::Worker& worker, absl::AnyInvocable<void()> function) {
    std::promise<void> done;
    worker.Post([&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  // A client on a worker, waiting or served.
  class Client {
   public:
    Client(CapsTest& test, std::shared_ptr<Pool> pool, net::Worker& worker)
        : test_(test), pool_(std::move(pool)), worker_(worker) {
      test_.On(worker_, [&] {
        event_ = std::make_unique<net::Event>(worker_);
        waiting_ = std::make_unique<Pool::Waiting>(*pool_, *event_);
      });
    }
    ~Client() {
      test_.On(worker_, [&] {
        lease_ = Lease();
        waiting_.reset();
        event_.reset();
      });
    }
    bool served() const { return static_cast<bool>(lease_); }
    bool Poll() {
      test_.On(worker_, [&] {
        if (lease_ || waiting_ == nullptr) return;
        auto outcome = waiting_->Poll();
        if (!outcome.ok()) failure_ = outcome.status();
        if (outcome.ok() && *outcome) lease_ = *std::move(outcome);
      });
      return served();
    }
    bool Gets() {
      return Becomes([&] { return Poll(); });
    }
    void Return() {
      test_.On(worker_, [&] { lease_.Return(); });
    }
    void Discard() {
      test_.On(worker_, [&] { lease_.Discard(); });
    }
    int pid() const { return lease_->process_id(); }
    Status TimedOut() const { return waiting_->TimedOut(); }
    const Status& failure() const { return failure_; }

   private:
    CapsTest& test_;
    const std::shared_ptr<Pool> pool_;
    net::Worker& worker_;
    std::unique_ptr<net::Event> event_;
    std::unique_ptr<Pool::Waiting> waiting_;
    Lease lease_;
    Status failure_;
  };
  Client& Join(const std::shared_ptr<Pool>& pool, size_t worker = 0) {
    clients_.push_back(std::make_unique<Client>(*this, pool, *workers_[worker]));
    return *clients_.back();
  }
  Client& Served(const std::shared_ptr<Pool>& pool, size_t worker = 0) {
    Client& client = Join(pool, worker);
    EXPECT_TRUE(client.Gets());
    return client;
  }

  static std::unique_ptr<test::PostgresServer> server_;
  std::vector<std::unique_ptr<net::Worker>> workers_;
  Connector connector_;
  Canceller canceller_;
  const std::shared_ptr<Quotas> quotas_ = std::make_shared<Quotas>();
  std::shared_ptr<Quota> node_;
  std::vector<std::shared_ptr<Pool>> pools_;
  std::vector<std::unique_ptr<Client>> clients_;
};

std::unique_ptr<test::PostgresServer> CapsTest::server_;

TEST_F(CapsTest, IdleBackendOfAnotherPoolMakesWayTheLongestIdleFirst) {
  Limit(2);
  const auto a = MakePool(), b = MakePool(), c = MakePool();
  Client& of_b = Served(b);
  Client& of_a = Served(a, 1);
  of_b.Return();
  std::this_thread::sleep_for(milliseconds(5));
  of_a.Return();
  Served(c);
  EXPECT_EQ(b->counts().idle, 0);
  EXPECT_EQ(a->counts().idle, 1);
  EXPECT_EQ(quotas_->numbers(*node_).used, 2);
}

TEST_F(CapsTest, ReturnedBackendEndsForAnOlderClientOfAnotherPool) {
  Limit(1);
  const auto a = MakePool(), b = MakePool();
  Client& first = Served(a);
  Client& older = Join(b, 1);
  std::this_thread::sleep_for(milliseconds(5));
  Client& younger = Join(a);
  first.Return();
  ASSERT_TRUE(older.Gets());
  EXPECT_FALSE(younger.Poll());
  older.Return();
  EXPECT_TRUE(younger.Gets());
}

TEST_F(CapsTest, OlderClientOfTheSamePoolGoesFirst) {
  Limit(1);
  const auto a = MakePool(), b = MakePool();
  Client& first = Served(a);
  const int pid = first.pid();
  Client& older = Join(a);
  std::this_thread::sleep_for(milliseconds(5));
  Client& younger = Join(b, 1);
  first.Return();
  ASSERT_TRUE(older.Gets());
  EXPECT_EQ(older.pid(), pid);
  EXPECT_FALSE(younger.Poll());
  older.Return();
  EXPECT_TRUE(younger.Gets());
}

TEST_F(CapsTest, WaitThatACapCausesNamesIt) {
  Limit(1);
  const auto a = MakePool(), b = MakePool();
  Served(a);
  Client& waiting = Join(b);
  const Status late = waiting.TimedOut();
  EXPECT_EQ(SqlStateOf(late), "53300");
  EXPECT_NE(MessageOf(late).find("node \"n\" has all 1 that pool.max_node_connections allows"),
            std::string::npos)
      << MessageOf(late);
}

TEST_F(CapsTest, ClientThatLeavesWantsNothingAnyMore) {
  Limit(1);
  const auto a = MakePool(), b = MakePool();
  Client& first = Served(a);
  Join(b);
  clients_.pop_back();
  first.Return();
  EXPECT_EQ(a->counts().idle, 1);
}

TEST_F(CapsTest, FailedLoginsKeepNoPlace) {
  Limit(1);
  const auto bad = MakePool(0, "nobody"), good = MakePool();
  Client& refused = Join(bad);
  EXPECT_TRUE(Becomes([&] {
    refused.Poll();
    return !refused.failure().ok();
  }));
  Served(good);
}

TEST_F(CapsTest, HigherLimitServesWhoWaits) {
  Limit(1);
  const auto a = MakePool(), b = MakePool();
  Served(a);
  Client& waiting = Join(b, 1);
  EXPECT_FALSE(waiting.Poll());
  Limit(2);
  ASSERT_TRUE(waiting.Gets());
}

TEST_F(CapsTest, LowerLimitClosesWhatIsIdle) {
  const auto a = MakePool();
  for (int i = 0; i < 3; ++i) Served(a);
  for (const auto& client : clients_) client->Return();
  Limit(1);
  a->Maintain(Clock::now());
  EXPECT_EQ(a->counts().idle, 1);
}

TEST_F(CapsTest, MinSizeTakesNoPlaceThatOthersWaitFor) {
  Limit(1);
  const auto minimal = MakePool(1), a = MakePool(), b = MakePool();
  Client& first = Served(a);
  Client& waiting = Join(b);
  minimal->Maintain(Clock::now());
  first.Discard();
  minimal->Maintain(Clock::now());
  ASSERT_TRUE(waiting.Gets());
  EXPECT_EQ(minimal->counts().idle + minimal->counts().connecting, 0);
  waiting.Discard();
  EXPECT_TRUE(Becomes([&] {
    minimal->Maintain(Clock::now());
    return minimal->counts().idle == 1;
  }));
  Served(a);  // and what it keeps makes way
}

// Three pools under one cap, from two workers: all get served again and again, and neither our
// count nor the server's ever exceeds the cap.
TEST_F(CapsTest, ManyClientsOfManyPoolsAllGetTheirTurn) {
  constexpr int kLimit = 2, kRounds = 15;
  Limit(kLimit);
  for (int i = 0; i < 3; ++i) MakePool();
  std::atomic<bool> over{false};
  std::atomic<int> most{0};
  // On one connection: a new one each time would be counted while the one before it ends.
  const test::Connection asking(server_->SocketConninfo());
  std::thread sampler([&] {
    while (!over) {
      const int count = std::stoi(
          asking.Value("select count(*) from pg_stat_activity where backend_type = 'client "
                       "backend' and pid <> pg_backend_pid()"));
      most = std::max(most.load(), count);
    }
  });
  std::vector<std::pair<Client*, int>> served;
  for (int i = 0; i < 12; ++i) {
    served.emplace_back(&Join(pools_[static_cast<size_t>(i % 3)], static_cast<size_t>(i % 2)), 0);
  }
  const TimePoint until = Clock::now() + seconds(60);
  int done = 0;
  for (int step = 0; done < 12 && Clock::now() < until; ++step) {
    for (size_t i = 0; i < served.size(); ++i) {
      auto& [client, times] = served[i];
      if (client == nullptr || !client->Poll()) continue;
      EXPECT_LE(quotas_->numbers(*node_).used, kLimit);
      if ((step + static_cast<int>(i)) % 7 == 0) {
        client->Discard();
      } else {
        client->Return();
      }
      std::erase_if(clients_, [&](const auto& c) { return c.get() == client; });
      const bool again = ++times < kRounds;
      client = again ? &Join(pools_[i % 3], i % 2) : nullptr;
      if (!again) ++done;
    }
  }
  over = true;
  sampler.join();
  EXPECT_EQ(done, 12);
  EXPECT_LE(most, kLimit);
  EXPECT_GT(most, 0);
}

}  // namespace
}  // namespace pgweir::pooler
