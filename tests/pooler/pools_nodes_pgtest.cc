// Pools of a node with several servers. What the servers are is said by the tests; both strings
// lead to one real server.

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "pooler/pools.h"
#include "tests/net/on_worker.h"
#include "tests/support/postgres_server.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolsOfNodes : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<test::PostgresServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  PoolsOfNodes() : connector_(4), canceller_(1, 10) {
    workers_.push_back(std::make_unique<net::Worker>(0));
    workers_.front()->Start("pools-test");
    config::Database& database = config_.databases["d"];
    database.name = "d";
    database.node = {.name = "n", .primary = server_->Conninfo(), .replicas = {}};
    database.pool.size = 2;
    for (const std::string& string : {server_->Conninfo(), server_->SocketConninfo()}) {
      ServerView& server = view_.servers.emplace_back();
      server.connection_string = string;
      server.condition = ServerCondition::kUp;
      server.watch = std::make_shared<ServerWatch>(true, [](auto, const auto&) {});
    }
    view_.database = "d";
    view_.node = "n";
    view_.configured_primary = server_->Conninfo();
    pools_ = std::make_unique<Pools>(PoolServices{connector_, canceller_, workers_});
  }
  ~PoolsOfNodes() override {
    pools_->CloseAll();
    for (auto& worker : workers_) worker->Stop();
    for (auto& worker : workers_) worker->Join();
  }

  // The node is as `view_` says from now on.
  void Show(int primary, bool headless = false) {
    ++view_.version;
    view_.primary = primary;
    view_.headless = headless;
    pools_->Follow(std::make_shared<NodeView>(view_));
  }
  Pools::Client Asking() { return {config_.databases.at("d"), name_, user_, nullptr}; }
  std::shared_ptr<Pool> Primary() { return *pools_->Get(config_, Asking()); }
  std::shared_ptr<Pool> Of(size_t server) {
    return *pools_->GetFor(config_, Asking(), view_.servers[server]);
  }
  int in_flight(size_t server) const { return view_.servers[server].watch->in_flight(); }

  void On(absl::AnyInvocable<void()> function) {
    std::promise<void> done;
    workers_.front()->Post([&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }
  // Somebody who waits for a backend of the pool.
  struct Client {
    explicit Client(net::Worker& worker) : event(worker) {}
    net::Event event;
    std::unique_ptr<Pool::Waiting> waiting;
    Lease lease;
  };
  using ClientPtr = std::unique_ptr<Client, std::function<void(Client*)>>;
  ClientPtr Join(Pool& pool) {
    ClientPtr client(nullptr, [this](Client* gone) { On([&] { delete gone; }); });
    On([&] {
      client.reset(new Client(*workers_.front()));
      client->waiting = std::make_unique<Pool::Waiting>(pool, client->event);
    });
    return client;
  }
  bool Gets(Client& client, milliseconds within = seconds(5)) {
    const TimePoint until = Clock::now() + within;
    while (!client.lease && Clock::now() < until) {
      On([&] {
        auto outcome = client.waiting->Poll();
        if (outcome.ok() && *outcome) client.lease = *std::move(outcome);
      });
      std::this_thread::sleep_for(milliseconds(2));
    }
    return static_cast<bool>(client.lease);
  }
  // Which of the two strings its backend was opened by.
  static bool over_tcp(const Client& client) {
    return client.lease->origin().address == "127.0.0.1";
  }

  static std::unique_ptr<test::PostgresServer> server_;
  std::vector<std::unique_ptr<net::Worker>> workers_;
  Connector connector_;
  Canceller canceller_;
  config::Config config_;
  const std::string name_ = "d", user_ = "postgres";
  NodeView view_;
  std::unique_ptr<Pools> pools_;
};

std::unique_ptr<test::PostgresServer> PoolsOfNodes::server_;

TEST_F(PoolsOfNodes, EachServerHasAPoolOfItsOwn) {
  Show(0);
  const auto primary = Primary(), replica = Of(1);
  EXPECT_NE(primary, replica);
  EXPECT_EQ(primary, Primary());
  EXPECT_EQ(replica, Of(1));
  const ClientPtr writer = Join(*primary), reader = Join(*replica);
  ASSERT_TRUE(Gets(*writer));
  ASSERT_TRUE(Gets(*reader));
  EXPECT_TRUE(over_tcp(*writer));
  EXPECT_FALSE(over_tcp(*reader));
  EXPECT_EQ(in_flight(0), 1);
  EXPECT_EQ(in_flight(1), 1);
  On([&] {
    reader->lease.Return();
    writer->lease.Discard();
  });
  EXPECT_EQ(in_flight(0), 0);
  EXPECT_EQ(in_flight(1), 0);
  EXPECT_EQ(pools_->List("d").size(), 2u);
}

TEST_F(PoolsOfNodes, PrimarysPoolFollowsIt) {
  Show(0);
  const auto pool = Primary();
  const ClientPtr before = Join(*pool);
  ASSERT_TRUE(Gets(*before));
  Show(1);
  EXPECT_EQ(Primary(), pool);
  const ClientPtr after = Join(*pool);
  ASSERT_TRUE(Gets(*after));
  EXPECT_FALSE(over_tcp(*after));
  // What the old one still serves ends when it becomes free.
  EXPECT_EQ(pool->counts().outdated, 1);
  On([&] { before->lease.Return(); });
  EXPECT_EQ(pool->counts().open(), 1);
  // An older view changes nothing.
  view_.version -= 2;
  Show(0);
  EXPECT_EQ(pool->target().connection_string, server_->SocketConninfo());
}

TEST_F(PoolsOfNodes, BackendsOfTheOldPrimaryHoldUpNobody) {
  config_.databases.at("d").pool.size = 1;
  Show(0);
  const auto pool = Primary();
  const ClientPtr stuck = Join(*pool);
  ASSERT_TRUE(Gets(*stuck));
  const ClientPtr waiting = Join(*pool);
  EXPECT_FALSE(Gets(*waiting, milliseconds(100)));
  Show(1);
  EXPECT_TRUE(Gets(*waiting));
  const ClientPtr next = Join(*pool);
  EXPECT_FALSE(Gets(*next, milliseconds(100)));
  On([&] { stuck->lease.Discard(); });
  EXPECT_FALSE(Gets(*next, milliseconds(100)));
  On([&] { waiting->lease.Return(); });
  EXPECT_TRUE(Gets(*next));
}

TEST_F(PoolsOfNodes, WithoutAPrimaryClientsWaitForOne) {
  Show(0);
  const auto pool = Primary();
  {
    const ClientPtr idle = Join(*pool);
    ASSERT_TRUE(Gets(*idle));
    On([&] { idle->lease.Return(); });
  }
  EXPECT_EQ(pool->counts().idle, 1);
  Show(-1, true);
  EXPECT_EQ(pool->counts().open(), 0);
  const ClientPtr client = Join(*pool);
  EXPECT_FALSE(Gets(*client, milliseconds(200)));
  On([&] { EXPECT_EQ(SqlStateOf(client->waiting->TimedOut()), sqlstate::kCannotConnectNow); });
  // PAUSE is another matter.
  pools_->SetPaused("d", true);
  Show(1);
  EXPECT_FALSE(Gets(*client, milliseconds(100)));
  pools_->SetPaused("d", false);
  ASSERT_TRUE(Gets(*client));
  EXPECT_FALSE(over_tcp(*client));
}

TEST_F(PoolsOfNodes, PoolOfAServerEndsWithIt) {
  Show(0);
  const auto replica = Of(1);
  pools_->Reconfigure(config_);
  EXPECT_EQ(pools_->List("d").size(), 1u);
  view_.servers.pop_back();
  Show(0);
  pools_->Reconfigure(config_);
  EXPECT_TRUE(pools_->List("d").empty());
}

TEST_F(PoolsOfNodes, UnknownPrimaryIsLibpqsMatter) {
  view_.configured_primary = server_->SocketConninfo();
  Show(-1);
  const ClientPtr client = Join(*Primary());
  ASSERT_TRUE(Gets(*client));
  EXPECT_FALSE(over_tcp(*client));
}

}  // namespace
}  // namespace pgweir::pooler
