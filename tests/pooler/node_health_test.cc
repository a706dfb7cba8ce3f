#include "pooler/node_health.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Condition = ServerCondition;
using Kind = NodeHealth::Event::Kind;

ServerAnswer Primary(uint32_t timeline, uint64_t lsn) {
  return {.in_recovery = false, .system_id = 7, .timeline = timeline, .lsn = lsn};
}
ServerAnswer Replica(uint64_t replayed, uint64_t received,
                     std::optional<Duration> since_replay = {}) {
  return {.in_recovery = true,
          .system_id = 7,
          .timeline = 1,
          .lsn = replayed,
          .received = received,
          .since_replay = since_replay};
}

// A primary and two replicas, at a time that the test moves.
class NodeHealthTest : public testing::Test {
 protected:
  void Answer(size_t server, const ServerAnswer& answer) { health_.OnAnswer(server, answer, now_); }
  void Fail(size_t server) { health_.OnFailure(server, "refused", now_); }
  const ServerHealth& At(size_t server) const { return health_.servers()[server]; }
  // All are well.
  void Settle() {
    Answer(0, Primary(1, 1000));
    Answer(1, Replica(1000, 1000, milliseconds(10)));
    Answer(2, Replica(1000, 1000, milliseconds(10)));
    health_.TakeEvents();
  }
  std::vector<Kind> Events() {
    std::vector<Kind> kinds;
    for (const auto& event : health_.TakeEvents()) kinds.push_back(event.kind);
    return kinds;
  }

  NodeHealth health_{{true, false, false}, {.max_lag = seconds(10)}};
  TimePoint now_ = TimePoint() + hours(1);
};

TEST_F(NodeHealthTest, UnheardOfServersAreWhatTheConfigurationSays) {
  EXPECT_EQ(health_.primary(), 0);
  EXPECT_FALSE(health_.headless());
  EXPECT_EQ(At(0).role, ServerRole::kPrimary);
  EXPECT_EQ(At(1).role, ServerRole::kReplica);
  EXPECT_FALSE(At(1).usable());
  const NodeHealth hosts({true, true}, {});
  EXPECT_EQ(hosts.primary(), -1);
  EXPECT_EQ(hosts.servers()[0].role, ServerRole::kUnknown);
}

TEST_F(NodeHealthTest, FirstGoodAnswerIsEnoughAtTheBeginning) {
  Settle();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(At(i).condition, Condition::kUp) << i;
  EXPECT_EQ(At(1).lag, Duration::zero());
  EXPECT_EQ(At(1).lag_bytes, 0u);
}

// Trap 12: a server that comes and goes does not take the node along.
TEST_F(NodeHealthTest, FailureIsOutAtOnceAndTwoGoodAnswersAreBack) {
  Settle();
  Fail(1);
  EXPECT_EQ(At(1).condition, Condition::kDown);
  EXPECT_EQ(At(1).error, "refused");
  EXPECT_EQ(Events(), (std::vector{Kind::kOut}));
  Answer(1, Replica(1000, 1000));
  EXPECT_EQ(At(1).condition, Condition::kReturning);
  EXPECT_FALSE(At(1).usable());
  Fail(1);
  Answer(1, Replica(1000, 1000));
  EXPECT_FALSE(At(1).usable());
  EXPECT_TRUE(Events().empty());
  Answer(1, Replica(1000, 1000));
  EXPECT_TRUE(At(1).usable());
  EXPECT_EQ(At(1).error, "");
  EXPECT_EQ(Events(), (std::vector{Kind::kBack}));
}

TEST_F(NodeHealthTest, LaggingReplicaIsOutAndBackWhenItHasCaughtUp) {
  Settle();
  now_ += seconds(11);
  Answer(0, Primary(1, 5000));
  Answer(1, Replica(1000, 5000, seconds(11)));
  EXPECT_EQ(At(1).condition, Condition::kLagging);
  EXPECT_EQ(At(1).lag_bytes, 4000u);
  EXPECT_EQ(At(1).lag, Duration(seconds(11)));
  EXPECT_NE(At(1).error.find("11.0 s behind"), std::string::npos) << At(1).error;
  Answer(1, Replica(5000, 5000, milliseconds(1)));
  Answer(1, Replica(5000, 5000, milliseconds(1)));
  EXPECT_TRUE(At(1).usable());
}

// The last transaction may be long ago because none came since.
TEST_F(NodeHealthTest, QuietPrimaryMakesNobodyLag) {
  Settle();
  now_ += hours(1);
  Answer(0, Primary(1, 1000));
  Answer(1, Replica(1000, 1000, hours(1)));
  EXPECT_EQ(At(1).lag, Duration::zero());
  // One transaction on the way is not an hour's lag.
  now_ += milliseconds(500);
  Answer(0, Primary(1, 1100));
  Answer(1, Replica(1000, 1000, hours(1)));
  EXPECT_EQ(At(1).lag, Duration(milliseconds(500)));
  EXPECT_TRUE(At(1).usable());
}

TEST_F(NodeHealthTest, BusyPrimarysReplicaLagsByTheClockOfItsTransactions) {
  Settle();
  for (uint64_t i = 1; i < 100; ++i) {
    now_ += milliseconds(500);
    Answer(0, Primary(1, 1000 + i * 100));
    Answer(1, Replica(990 + i * 100, 1000 + i * 100, milliseconds(20)));
  }
  EXPECT_EQ(At(1).lag, Duration(milliseconds(20)));
  EXPECT_TRUE(At(1).usable());
}

TEST_F(NodeHealthTest, ReplicaOfAnUnheardPrimaryHasAllThatItReceived) {
  Answer(1, Replica(1000, 1000, hours(1)));
  Answer(2, Replica(900, 1000, hours(1)));
  EXPECT_TRUE(At(1).usable());
  EXPECT_EQ(At(2).condition, Condition::kLagging);
}

TEST_F(NodeHealthTest, ReplicaOfUnknownLagIsNotUsed) {
  Answer(0, Primary(1, 1000));
  Answer(1, Replica(500, 600));
  EXPECT_EQ(At(1).condition, Condition::kLagging);
}

TEST_F(NodeHealthTest, WithoutABoundNobodyLags) {
  NodeHealth health({true, false}, {.max_lag = Duration::zero()});
  health.OnAnswer(0, Primary(1, 1000), now_);
  health.OnAnswer(1, Replica(10, 10, hours(9)), now_);
  EXPECT_TRUE(health.servers()[1].usable());
}

TEST_F(NodeHealthTest, PromotionMovesThePrimaryWhenTheOldOneIsGone) {
  Settle();
  Fail(0);
  EXPECT_EQ(health_.primary(), 0);
  EXPECT_FALSE(health_.headless());
  Events();
  Answer(1, Primary(2, 1100));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_EQ(At(1).role, ServerRole::kPrimary);
  EXPECT_TRUE(At(1).usable());
  EXPECT_EQ(At(0).role, ServerRole::kUnknown);
  EXPECT_EQ(Events(), (std::vector{Kind::kNewPrimary}));
  // The old one comes back as a replica.
  Answer(0, Replica(1100, 1100));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_EQ(At(0).role, ServerRole::kReplica);
}

TEST_F(NodeHealthTest, ReplicaThatWasOutIsAUsablePrimaryAtOnce) {
  Settle();
  Fail(1);
  Answer(1, Primary(2, 1100));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_TRUE(At(1).usable());
}

TEST_F(NodeHealthTest, OfTwoPrimariesTheNewerTimelineWins) {
  Settle();
  Answer(1, Primary(2, 1100));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_EQ(At(0).condition, Condition::kStale);
  EXPECT_EQ(Events(), (std::vector{Kind::kNewPrimary, Kind::kSplitBrain, Kind::kOut}));
  // Told once, and whatever it says.
  Answer(0, Primary(1, 9000));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_EQ(At(0).condition, Condition::kStale);
  EXPECT_TRUE(Events().empty());
}

TEST_F(NodeHealthTest, OfTwoPrimariesOfOneTimelineTheFirstStays) {
  Settle();
  Fail(0);
  Answer(2, Primary(2, 1100));
  Answer(1, Primary(2, 1200));
  EXPECT_EQ(health_.primary(), 2);
  EXPECT_EQ(At(1).condition, Condition::kStale);
}

TEST_F(NodeHealthTest, TimelineThatWasLeftIsNotFollowedAgain) {
  Settle();
  Answer(1, Primary(2, 1100));
  Fail(1);
  Answer(0, Primary(1, 1000));
  EXPECT_EQ(health_.primary(), 1);
  EXPECT_EQ(At(0).condition, Condition::kStale);
  Answer(2, Primary(3, 1200));
  EXPECT_EQ(health_.primary(), 2);
}

TEST_F(NodeHealthTest, DemotedPrimaryLeavesTheNodeWithoutOne) {
  Settle();
  Answer(0, Replica(1000, 1000));
  EXPECT_EQ(health_.primary(), -1);
  EXPECT_TRUE(health_.headless());
  EXPECT_EQ(Events(), (std::vector{Kind::kNoPrimary}));
  Answer(1, Replica(1000, 1000));
  EXPECT_TRUE(health_.headless());
  Answer(2, Primary(2, 1100));
  EXPECT_FALSE(health_.headless());
  EXPECT_EQ(health_.primary(), 2);
}

TEST_F(NodeHealthTest, DemotedPrimaryOnItsTimelineMayTakeOverAgain) {
  Settle();
  Answer(0, Replica(1000, 1000));
  Answer(0, Primary(1, 1000));
  EXPECT_EQ(health_.primary(), 0);
  EXPECT_FALSE(health_.headless());
}

TEST_F(NodeHealthTest, HostsOfAStringAreFoundOut) {
  NodeHealth hosts({true, true}, {});
  hosts.OnAnswer(0, Replica(1000, 1000), now_);
  EXPECT_EQ(hosts.primary(), -1);
  EXPECT_FALSE(hosts.headless());
  // Replicas alone may be what is meant.
  hosts.OnAnswer(1, Replica(1000, 1000), now_);
  EXPECT_FALSE(hosts.headless());
  hosts.OnAnswer(1, Primary(1, 1000), now_);
  EXPECT_EQ(hosts.primary(), 1);
  EXPECT_FALSE(hosts.headless());
}

TEST_F(NodeHealthTest, ReplicaAheadOfItsPrimaryHasGoneAstray) {
  Settle();
  Answer(1, Replica(2000, 2000));
  EXPECT_TRUE(At(1).usable());  // the primary may have written it since it was asked
  Answer(0, Primary(1, 1500));
  EXPECT_EQ(At(1).condition, Condition::kStale);
}

TEST_F(NodeHealthTest, ReplicaOfAnotherClusterIsNotUsed) {
  Settle();
  ServerAnswer other = Replica(1000, 1000);
  other.system_id = 8;
  Answer(1, other);
  EXPECT_EQ(At(1).condition, Condition::kStale);
}

TEST_F(NodeHealthTest, ServersThatNobodyMayAskAreWhatLoginsSay) {
  for (size_t i = 0; i < 3; ++i) health_.OnUnasked(i, "", now_);
  EXPECT_EQ(health_.primary(), 0);
  EXPECT_TRUE(At(1).usable());
  EXPECT_FALSE(At(1).lag.has_value());
  health_.OnLoginFailed(1, "refused", now_);
  EXPECT_EQ(At(1).condition, Condition::kDown);
  now_ += seconds(1);
  health_.OnUnasked(1, "", now_);
  EXPECT_EQ(At(1).condition, Condition::kDown);
  // After a while it is tried again.
  now_ += seconds(1);
  health_.OnUnasked(1, "", now_);
  EXPECT_TRUE(At(1).usable());
  health_.OnLoginFailed(1, "refused", now_);
  health_.OnLoggedIn(1);
  EXPECT_TRUE(At(1).usable());
}

TEST_F(NodeHealthTest, WhatIsKnownSurvivesAnotherListOfServers) {
  Settle();
  Answer(1, Primary(2, 1100));
  NodeHealth next({true, false, false}, {});
  next.Inherit(health_, {0, -1, 1});
  EXPECT_EQ(next.primary(), 2);
  EXPECT_EQ(next.servers()[0].condition, Condition::kStale);
  EXPECT_EQ(next.servers()[1].condition, Condition::kUnknown);
  EXPECT_TRUE(next.servers()[2].usable());
}

// The first record of a page lies behind its header.
TEST(HasReplayed, CountsAPagesHeaderAsNothing) {
  EXPECT_TRUE(HasReplayed(100, 100));
  EXPECT_TRUE(HasReplayed(101, 100));
  EXPECT_FALSE(HasReplayed(99, 100));
  EXPECT_TRUE(HasReplayed(8192, 8192 + 24));
  EXPECT_TRUE(HasReplayed(8192, 8192 + 40));
  EXPECT_FALSE(HasReplayed(8192, 8192 + 48));
  EXPECT_FALSE(HasReplayed(8200, 8200 + 24));
}

}  // namespace
}  // namespace pgweir::pooler
