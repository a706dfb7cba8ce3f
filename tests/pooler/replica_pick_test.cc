#include "pooler/replica_pick.h"

#include <gtest/gtest.h>

#include <map>

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ReplicaPick : public testing::Test {
 protected:
  ServerView& Add(const std::string& label = "") {
    ServerView& server = view_.servers.emplace_back();
    server.role = view_.servers.size() == 1 ? ServerRole::kPrimary : ServerRole::kReplica;
    server.condition = ServerCondition::kUp;
    if (!label.empty()) server.labels = {label};
    server.lsn = 100;
    server.lag = Duration::zero();
    server.watch = std::make_shared<ServerWatch>(true, [](auto, const auto&) {});
    return server;
  }
  ServerView& server(size_t i) { return view_.servers[i]; }
  std::optional<size_t> Pick(const ReplicaWish& wish = {}) {
    return PickReplica(view_, wish, random_);
  }
  std::map<size_t, int> PickOften(const ReplicaWish& wish = {}) {
    std::map<size_t, int> picks;
    for (int i = 0; i < 10'000; ++i) {
      const auto pick = Pick(wish);
      if (pick.has_value()) ++picks[*pick];
    }
    return picks;
  }

  NodeView view_;
  std::minstd_rand random_{42};
};

TEST_F(ReplicaPick, PrimaryIsNoReplica) {
  Add();
  EXPECT_FALSE(Pick().has_value());
}

TEST_F(ReplicaPick, EqualReplicasGetEqualShares) {
  for (int i = 0; i < 4; ++i) Add();
  const auto picks = PickOften();
  ASSERT_EQ(picks.size(), 3u);
  for (const auto& [replica, count] : picks) EXPECT_NEAR(count, 3'333, 300) << replica;
}

TEST_F(ReplicaPick, OnlyUsableOnesArePicked) {
  for (int i = 0; i < 5; ++i) Add();
  server(1).condition = ServerCondition::kDown;
  server(2).condition = ServerCondition::kReturning;
  server(3).condition = ServerCondition::kUnknown;
  EXPECT_EQ(PickOften(), (std::map<size_t, int>{{4, 10'000}}));
  server(4).condition = ServerCondition::kLagging;
  EXPECT_FALSE(Pick().has_value());
}

TEST_F(ReplicaPick, LessBusyOfTwoIsPicked) {
  for (int i = 0; i < 3; ++i) Add();
  server(1).watch->Began();
  EXPECT_EQ(PickOften(), (std::map<size_t, int>{{2, 10'000}}));
  server(2).watch->Began();
  EXPECT_EQ(PickOften().size(), 2u);
}

TEST_F(ReplicaPick, SlowOneMustBeLessBusyToBePicked) {
  for (int i = 0; i < 3; ++i) Add();
  server(1).watch->Answered(milliseconds(4));
  server(2).watch->Answered(milliseconds(1));
  server(2).watch->Began();
  EXPECT_EQ(PickOften(), (std::map<size_t, int>{{2, 10'000}}));
  for (int i = 0; i < 4; ++i) server(2).watch->Began();
  EXPECT_EQ(PickOften(), (std::map<size_t, int>{{1, 10'000}}));
}

// The busiest is never picked: of any two it is the worse. The others share by chance.
TEST_F(ReplicaPick, TwoOfManyAreCompared) {
  for (int i = 0; i < 5; ++i) Add();
  for (size_t i = 1; i < 5; ++i) {
    for (size_t busy = 1; busy < i; ++busy) server(i).watch->Began();
  }
  const auto picks = PickOften();
  EXPECT_NEAR(picks.at(1), 5'000, 300);
  EXPECT_NEAR(picks.at(2), 3'333, 300);
  EXPECT_NEAR(picks.at(3), 1'667, 300);
  EXPECT_FALSE(picks.contains(4));
}

TEST_F(ReplicaPick, LabelledOnesAreForThoseWhoAsk) {
  Add();
  Add();
  Add("reports");
  Add("admin");
  EXPECT_EQ(PickOften(), (std::map<size_t, int>{{1, 10'000}}));
  EXPECT_EQ(PickOften({.label = "reports"}), (std::map<size_t, int>{{2, 10'000}}));
  EXPECT_FALSE(Pick({.label = "none"}).has_value());
}

TEST_F(ReplicaPick, ReplicaMustHaveReplayedWhatIsAskedFor) {
  for (int i = 0; i < 3; ++i) Add();
  server(1).lsn = 0;
  EXPECT_EQ(PickOften({.min_lsn = 100}), (std::map<size_t, int>{{2, 10'000}}));
  EXPECT_FALSE(Pick({.min_lsn = 101}).has_value());
  EXPECT_EQ(PickOften().size(), 2u);
}

TEST_F(ReplicaPick, LagIsBoundedByTheWish) {
  for (int i = 0; i < 3; ++i) Add();
  server(1).lag = seconds(5);
  server(2).lag = seconds(2);
  EXPECT_EQ(PickOften({.max_lag = seconds(2)}), (std::map<size_t, int>{{2, 10'000}}));
  EXPECT_FALSE(Pick({.max_lag = seconds(1)}).has_value());
}

}  // namespace
}  // namespace pgweir::pooler
