// What is found out of real servers that replicate, die and are promoted.

#include "pooler/node_monitor.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "pooler/replica_pick.h"
#include "tests/support/gate.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Condition = ServerCondition;

// A primary with a replica, and a monitor that asks both as a role that may do nothing.
class NodeMonitorTest : public testing::Test {
 protected:
  NodeMonitorTest() : primary_(test::Replicated()) {
    primary_.Query("create role watcher login; create table t (id int)");
    replica_ = std::make_unique<test::PostgresServer>(test::Replicated(&primary_));
    monitor_ = std::make_unique<NodeMonitor>(
        NodeMonitor::Hooks{.on_change = [this](const NodeViewRef&) { ++changes_; },
                           .is_paused = [this](const std::string&) { return paused_.load(); }});
  }

  static NodeSettings Settings(int primary_port, int replica_port) {
    return {
        .database = "d",
        .node = "n",
        .primary = fmt::format("host=127.0.0.1 port={} user=watcher dbname=postgres", primary_port),
        .replicas = {{fmt::format("host=127.0.0.1 port={}", replica_port), {}}},
        .max_lag = milliseconds(700),
        .check_interval = milliseconds(100)};
  }
  void Watch() { Watch(Settings(primary_.port(), replica_->port())); }
  void Watch(const NodeSettings& settings) { monitor_->Configure({settings}); }
  NodeViewRef View() const { return monitor_->Find("d", "n")->Get(); }
  bool Becomes(const std::function<bool(const NodeView&)>& condition,
               milliseconds within = seconds(5)) {
    const TimePoint until = Clock::now() + within;
    while (!condition(*View())) {
      if (Clock::now() >= until) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }
  bool BothUp() {
    return Becomes([](const NodeView& view) {
      return view.servers[0].usable() && view.servers[1].usable() && view.servers[1].lsn != 0;
    });
  }

  test::PostgresServer primary_;
  std::unique_ptr<test::PostgresServer> replica_;
  std::atomic<int> changes_{0};
  std::atomic<bool> paused_{false};
  std::unique_ptr<NodeMonitor> monitor_;
};

TEST_F(NodeMonitorTest, ReplicaIsSeenWithItsLag) {
  Watch();
  ASSERT_TRUE(BothUp());
  const NodeViewRef view = View();
  EXPECT_EQ(view->primary, 0);
  EXPECT_EQ(view->servers[0].role, ServerRole::kPrimary);
  EXPECT_EQ(view->servers[1].role, ServerRole::kReplica);
  EXPECT_EQ(view->servers[0].timeline, 1u);
  EXPECT_EQ(view->servers[0].system_id, view->servers[1].system_id);
  const int changes = changes_;
  // It goes on being up where nothing is written for longer than max_lag.
  EXPECT_FALSE(Becomes([](const NodeView& now) { return !now.servers[1].usable(); }, seconds(1)));
  EXPECT_TRUE(Becomes([](const NodeView& now) { return now.servers[1].lag == Duration::zero(); }));

  replica_->Query("select pg_wal_replay_pause()");
  primary_.Query("insert into t select generate_series(1, 1000)");
  ASSERT_TRUE(Becomes([](const NodeView& now) { return now.servers[1].lag_bytes > 1000u; }));
  EXPECT_TRUE(View()->servers[1].usable());
  ASSERT_TRUE(
      Becomes([](const NodeView& now) { return now.servers[1].condition == Condition::kLagging; },
              seconds(2)));
  EXPECT_GT(View()->servers[1].lag, Duration(milliseconds(700)));
  std::minstd_rand random;
  EXPECT_FALSE(PickReplica(*View(), {}, random).has_value());

  replica_->Query("select pg_wal_replay_resume()");
  ASSERT_TRUE(BothUp());
  EXPECT_EQ(PickReplica(*View(), {}, random), 1u);
  EXPECT_EQ(changes_, changes);
}

TEST_F(NodeMonitorTest, ReplayedPositionSaysWhichWritesAReplicaHas) {
  Watch();
  ASSERT_TRUE(BothUp());
  replica_->Query("select pg_wal_replay_pause()");
  primary_.Query("insert into t values (1)");
  const test::Connection ordinary(primary_.Conninfo("watcher"));
  uint64_t high = 0, low = 0;
  ASSERT_EQ(sscanf(ordinary.Value("select pg_catalog.pg_current_wal_insert_lsn()").c_str(),
                   "%lX/%lX", &high, &low),
            2);
  const ReplicaWish wish{.min_lsn = high << 32 | low};
  std::minstd_rand random;
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_FALSE(PickReplica(*View(), wish, random).has_value());
  replica_->Query("select pg_wal_replay_resume()");
  EXPECT_TRUE(Becomes(
      [&](const NodeView& view) { return PickReplica(view, wish, random) == std::optional(1ul); }));
  EXPECT_EQ(replica_->Query("select count(*) from t"), "1");
}

TEST_F(NodeMonitorTest, KilledReplicaIsOutAndBackWhenItHasStarted) {
  Watch();
  ASSERT_TRUE(BothUp());
  replica_->Stop(test::StopMode::kImmediate);
  ASSERT_TRUE(
      Becomes([](const NodeView& view) { return view.servers[1].condition == Condition::kDown; },
              seconds(2)));
  EXPECT_NE(View()->servers[1].error, "");
  EXPECT_EQ(View()->primary, 0);
  replica_->Start();
  EXPECT_TRUE(BothUp());
  EXPECT_EQ(View()->servers[1].error, "");
}

TEST_F(NodeMonitorTest, PromotionMovesThePrimary) {
  Watch();
  ASSERT_TRUE(BothUp());
  primary_.Stop(test::StopMode::kImmediate);
  ASSERT_TRUE(
      Becomes([](const NodeView& view) { return view.servers[0].condition == Condition::kDown; }));
  EXPECT_EQ(View()->primary, 0);
  replica_->Query("select pg_promote()");
  ASSERT_TRUE(Becomes([](const NodeView& view) { return view.primary == 1; }, seconds(2)));
  EXPECT_EQ(View()->servers[1].timeline, 2u);
  EXPECT_TRUE(View()->servers[1].usable());
  // The old one knows nothing of it.
  primary_.Start();
  ASSERT_TRUE(
      Becomes([](const NodeView& view) { return view.servers[0].condition == Condition::kStale; }));
  EXPECT_EQ(View()->primary, 1);
}

TEST_F(NodeMonitorTest, SwitchoverIsFollowedThere) {
  Watch();
  ASSERT_TRUE(BothUp());
  primary_.Stop();
  replica_->Query("select pg_promote()");
  primary_.BecomeReplicaOf(*replica_);
  ASSERT_TRUE(Becomes([](const NodeView& view) {
    return view.primary == 1 && view.servers[0].role == ServerRole::kReplica &&
           view.servers[0].usable() && view.servers[1].usable();
  }));
}

TEST_F(NodeMonitorTest, DemotedPrimaryLeavesNone) {
  Watch();
  ASSERT_TRUE(BothUp());
  primary_.Stop();
  primary_.BecomeReplicaOf(*replica_);
  ASSERT_TRUE(Becomes([](const NodeView& view) { return view.headless; }, seconds(2)));
  EXPECT_EQ(View()->primary, -1);
  replica_->Query("select pg_promote()");
  EXPECT_TRUE(Becomes([](const NodeView& view) { return view.primary == 1 && !view.headless; },
                      seconds(2)));
}

TEST_F(NodeMonitorTest, PrimaryIsFoundAmongTheHostsOfAString) {
  NodeSettings settings = Settings(0, 0);
  settings.primary = fmt::format("host=127.0.0.1,127.0.0.1 port={},{} user=watcher dbname=postgres",
                                 replica_->port(), primary_.port());
  settings.replicas.clear();
  Watch(settings);
  EXPECT_EQ(View()->primary, -1);
  ASSERT_TRUE(Becomes([](const NodeView& view) { return view.primary == 1; }));
  EXPECT_TRUE(
      Becomes([](const NodeView& view) { return view.servers[0].role == ServerRole::kReplica; }));
}

TEST_F(NodeMonitorTest, SuspectedServerIsAskedAtOnce) {
  NodeSettings settings = Settings(primary_.port(), replica_->port());
  settings.check_interval = std::chrono::hours(1);
  Watch(settings);
  ASSERT_TRUE(BothUp());
  replica_->Stop(test::StopMode::kImmediate);
  EXPECT_FALSE(
      Becomes([](const NodeView& view) { return !view.servers[1].usable(); }, milliseconds(500)));
  monitor_->Suspect("d", "n", 1);
  EXPECT_TRUE(Becomes([](const NodeView& view) { return !view.servers[1].usable(); }, seconds(1)));
}

TEST_F(NodeMonitorTest, SilentServerIsOutAndDelaysNoEnd) {
  test::Gate gate(replica_->port());
  Watch(Settings(primary_.port(), gate.port()));
  ASSERT_TRUE(BothUp());
  gate.Freeze(true);
  const uint64_t answers = View()->servers[0].answers;
  EXPECT_TRUE(Becomes([](const NodeView& view) { return !view.servers[1].usable(); }, seconds(2)));
  // Others are asked meanwhile.
  EXPECT_GE(View()->servers[0].answers, answers + 5);
  EXPECT_TRUE(View()->servers[0].usable());
  const TimePoint before = Clock::now();
  monitor_->Stop();
  EXPECT_LT(Clock::now() - before, milliseconds(300));
}

TEST_F(NodeMonitorTest, WhilePausedNoConnectionIsHeld) {
  Watch();
  ASSERT_TRUE(BothUp());
  const auto connections = [&] {
    return primary_.Query(
        "select count(*) from pg_stat_activity where application_name = 'pgweir health'");
  };
  EXPECT_EQ(connections(), "1");
  paused_ = true;
  const TimePoint until = Clock::now() + seconds(3);
  while (connections() != "0" && Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_EQ(connections(), "0");
  EXPECT_TRUE(View()->servers[1].usable());
  paused_ = false;
  EXPECT_TRUE(Becomes([&](const NodeView&) { return connections() == "1"; }));
}

// Trap 12: a reload takes nobody out.
TEST_F(NodeMonitorTest, ReloadKeepsWhatIsKnown) {
  Watch();
  ASSERT_TRUE(BothUp());
  const auto watch = View()->servers[1].watch;
  NodeSettings settings = Settings(primary_.port(), replica_->port());
  settings.replicas.insert(settings.replicas.begin(), {"host=127.0.0.1 port=1", {"reports"}});
  const uint64_t epoch = View()->epoch;
  Watch(settings);
  NodeViewRef view = View();
  ASSERT_EQ(view->servers.size(), 3u);
  EXPECT_GT(view->epoch, epoch);
  EXPECT_EQ(view->servers[1].labels, std::vector<std::string>{"reports"});
  EXPECT_TRUE(view->servers[2].usable());
  EXPECT_EQ(view->servers[2].watch, watch);
  EXPECT_TRUE(
      Becomes([](const NodeView& now) { return now.servers[1].condition == Condition::kDown; }));
  settings.replicas.resize(1);
  Watch(settings);
  EXPECT_EQ(View()->servers.size(), 2u);
  monitor_->Configure({});
  EXPECT_EQ(monitor_->Find("d", "n"), nullptr);
}

TEST_F(NodeMonitorTest, RoleThatMayNotLogInLeavesServersToTheirClients) {
  NodeSettings settings = Settings(primary_.port(), replica_->port());
  settings.primary += " user=nobody";
  Watch(settings);
  ASSERT_TRUE(Becomes([](const NodeView& view) {
    return view.servers[1].error != "" && view.servers[0].usable() && view.servers[1].usable();
  }));
  const NodeViewRef view = View();
  EXPECT_EQ(view->primary, 0);
  EXPECT_FALSE(view->servers[1].lag.has_value());
  view->servers[1].watch->LoginFailed(Error(sqlstate::kCannotConnect, "refused"));
  EXPECT_TRUE(Becomes([](const NodeView& now) { return !now.servers[1].usable(); }, seconds(1)));
  view->servers[1].watch->LoggedIn();
  EXPECT_TRUE(Becomes([](const NodeView& now) { return now.servers[1].usable(); }, seconds(1)));
}

// Nothing is asked of one server that is all there is.
TEST_F(NodeMonitorTest, OneServerIsWhatItsClientsLoginsSay) {
  NodeSettings settings = Settings(primary_.port(), 0);
  settings.replicas.clear();
  Watch(settings);
  EXPECT_EQ(View()->primary, 0);
  EXPECT_EQ(View()->servers[0].condition, Condition::kUnknown);
  const auto watch = View()->servers[0].watch;
  watch->LoggedIn();
  EXPECT_TRUE(Becomes([](const NodeView& now) { return now.servers[0].usable(); }));
  watch->LoginFailed(Error("28P01", "wrong password"));
  watch->LoginFailed(Error(sqlstate::kCannotConnect, "refused"));
  EXPECT_TRUE(
      Becomes([](const NodeView& now) { return now.servers[0].condition == Condition::kDown; }));
  EXPECT_EQ(View()->servers[0].failures, 1u);
  EXPECT_EQ(View()->primary, 0);
  EXPECT_EQ(primary_.Query("select count(*) from pg_stat_activity where usename = 'watcher'"), "0");
}

}  // namespace
}  // namespace pgweir::pooler
