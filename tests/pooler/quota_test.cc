#include "pooler/quota.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A pool as its caps see it.
class FakePool final : public Sharer {
 public:
  static std::shared_ptr<FakePool> Make(const std::shared_ptr<Quotas>& quotas,
                                        std::vector<std::shared_ptr<Quota>> caps) {
    auto pool = std::make_shared<FakePool>();
    pool->share = std::make_shared<Share>(quotas, std::weak_ptr<Sharer>(pool), std::move(caps));
    return pool;
  }

  // Opens what it may of `wanted`; how many that were.
  int Open(int wanted, TimePoint since = Clock::now()) {
    auto places = share->Claim(wanted, since);
    const int got = static_cast<int>(places.size());
    for (Place& place : places) open.push_back(std::move(place));
    return got;
  }
  bool Yields(TimePoint since = kNoDeadline) { return share->Yield(open.front(), since); }

  void PlaceKept() override { ++kept; }
  TimePoint IdleSince() const override { return idle_since; }
  void MakeWay() override {
    ++made_way;
    open.front().BeginParting();
    parting.push_back(std::move(open.front()));
    open.erase(open.begin());
    idle_since = kNoDeadline;
  }

  std::shared_ptr<Share> share;
  std::vector<Place> open, parting;
  TimePoint idle_since = kNoDeadline;
  std::atomic<int> kept{0};
  int made_way = 0;
};

class QuotaTest : public testing::Test {
 protected:
  std::shared_ptr<Quota> Cap(Quota::Kind kind, const std::string& name, int limit) {
    auto quota = quotas_->Get(kind, name);
    quotas_->SetLimit(*quota, limit);
    return quota;
  }
  std::shared_ptr<Quota> Node(int limit) { return Cap(Quota::Kind::kNode, "n", limit); }
  std::shared_ptr<FakePool> Pool(std::vector<std::shared_ptr<Quota>> caps) {
    return FakePool::Make(quotas_, std::move(caps));
  }
  int Used(const Quota& quota) { return quotas_->numbers(quota).used; }

  const std::shared_ptr<Quotas> quotas_ = std::make_shared<Quotas>();
  const TimePoint now_ = Clock::now();
};

TEST_F(QuotaTest, GivesPlacesUpToTheLimitAndTakesThemBack) {
  const auto node = Node(3);
  const auto a = Pool({node});
  EXPECT_EQ(a->Open(5), 3);
  EXPECT_EQ(Used(*node), 3);
  EXPECT_EQ(a->share->Exhausted(), "node \"n\" has all 3 that pool.max_node_connections allows");
  EXPECT_EQ(a->Open(0), 0);
  a->open.clear();
  EXPECT_EQ(Used(*node), 0);
  EXPECT_EQ(a->share->Exhausted(), "");
}

TEST_F(QuotaTest, CountsWithoutALimit) {
  const auto node = Node(0);
  const auto a = Pool({node});
  EXPECT_EQ(a->Open(1000), 1000);
  EXPECT_FALSE(a->open.front().limited());
  EXPECT_FALSE(a->Yields());
  EXPECT_EQ(Used(*node), 1000);
}

TEST_F(QuotaTest, TakesOfAllCapsOrOfNone) {
  const auto node = Node(5);
  const auto database = Cap(Quota::Kind::kDatabase, "d", 2);
  const auto user = Cap(Quota::Kind::kUser, "u", 0);
  const auto a = Pool({database, user, node});
  EXPECT_EQ(a->Open(4), 2);
  EXPECT_EQ(Used(*database), 2);
  EXPECT_EQ(Used(*user), 2);
  EXPECT_EQ(Used(*node), 2);
  EXPECT_EQ(a->share->Exhausted(), "database \"d\" has all 2 that pool.max_db_connections allows");
}

TEST_F(QuotaTest, FreePlaceIsKeptForTheOldestClient) {
  const auto node = Node(1);
  const auto holder = Pool({node}), young = Pool({node}), old = Pool({node});
  ASSERT_EQ(holder->Open(1), 1);
  EXPECT_EQ(young->Open(1, now_ - seconds(1)), 0);
  EXPECT_EQ(old->Open(1, now_ - seconds(2)), 0);
  holder->open.clear();
  EXPECT_EQ(old->kept, 1);
  EXPECT_EQ(young->kept, 0);
  EXPECT_EQ(Used(*node), 1);
  // Nobody else gets what is kept.
  EXPECT_EQ(holder->Open(1), 0);
  EXPECT_EQ(young->Open(1, now_ - seconds(3)), 0);
  EXPECT_EQ(old->Open(1, now_ - seconds(2)), 1);
}

TEST_F(QuotaTest, KeptPlaceThatIsNoLongerWantedGoesOn) {
  const auto node = Node(1);
  const auto holder = Pool({node}), gone = Pool({node}), next = Pool({node});
  ASSERT_EQ(holder->Open(1), 1);
  gone->Open(1, now_ - seconds(2));
  next->Open(1, now_ - seconds(1));
  holder->open.clear();
  ASSERT_EQ(gone->kept, 1);
  EXPECT_EQ(gone->Open(0), 0);
  EXPECT_EQ(next->kept, 1);
  EXPECT_EQ(next->Open(1), 1);
}

TEST_F(QuotaTest, PoolThatEndsLeavesNothingBehind) {
  const auto node = Node(1);
  auto holder = Pool({node}), waiting = Pool({node});
  ASSERT_EQ(holder->Open(1), 1);
  waiting->Open(1);
  holder->open.clear();
  ASSERT_EQ(waiting->kept, 1);
  waiting.reset();
  EXPECT_EQ(Used(*node), 0);
  EXPECT_EQ(holder->Open(1), 1);
}

TEST_F(QuotaTest, YieldsToAnOlderClientOnly) {
  const auto node = Node(1);
  const auto holder = Pool({node}), waiting = Pool({node});
  ASSERT_EQ(holder->Open(1), 1);
  EXPECT_FALSE(holder->Yields());
  waiting->Open(1, now_);
  EXPECT_FALSE(holder->Yields(now_ - milliseconds(1)));
  EXPECT_FALSE(holder->Yields(now_));
  EXPECT_TRUE(holder->Yields(now_ + milliseconds(1)));
  EXPECT_EQ(quotas_->numbers(*node).parting, 1);
}

TEST_F(QuotaTest, YieldsOncePerPlaceThatIsWanted) {
  const auto node = Node(2);
  const auto holder = Pool({node}), waiting = Pool({node});
  ASSERT_EQ(holder->Open(2), 2);
  waiting->Open(1, now_);
  EXPECT_TRUE(holder->Yields());
  std::swap(holder->open.front(), holder->open.back());
  EXPECT_FALSE(holder->Yields());
}

TEST_F(QuotaTest, PoolThatHoldsPlacesMustHaveWaitedLonger) {
  const auto node = Node(2);
  const auto a = Pool({node}), b = Pool({node});
  ASSERT_EQ(a->Open(1), 1);
  ASSERT_EQ(b->Open(1), 1);
  b->Open(1, now_);
  EXPECT_FALSE(a->Yields(now_ + milliseconds(1)));
  EXPECT_TRUE(a->Yields(now_ + milliseconds(100)));
}

TEST_F(QuotaTest, DoesNotYieldWhereThatWouldBeNoUse) {
  const auto node = Node(1);
  const auto database = Cap(Quota::Kind::kDatabase, "d", 1);
  const auto on_node = Pool({node}), of_database = Pool({database});
  const auto both = Pool({database, node});
  ASSERT_EQ(on_node->Open(1), 1);
  ASSERT_EQ(of_database->Open(1), 1);
  both->Open(1, now_);
  EXPECT_FALSE(on_node->Yields());
}

// Who needs places of two caps that never come free together gets them one after the other.
TEST_F(QuotaTest, LongWaitReservesOneCapUntilTheOtherIsFree) {
  const auto node = Node(1);
  const auto database = Cap(Quota::Kind::kDatabase, "d", 1);
  const auto on_node = Pool({node}), of_database = Pool({database});
  const auto both = Pool({database, node});
  ASSERT_EQ(on_node->Open(1), 1);
  ASSERT_EQ(of_database->Open(1), 1);
  both->Open(1, now_ - seconds(5));
  EXPECT_TRUE(on_node->Yields());
  on_node->open.clear();
  EXPECT_EQ(on_node->Open(1), 0);
  of_database->open.clear();
  EXPECT_EQ(both->kept, 1);
  EXPECT_EQ(both->Open(1), 1);
}

TEST_F(QuotaTest, AsksTheLongestIdleForRoom) {
  const auto node = Node(3);
  const auto busy = Pool({node}), recent = Pool({node}), longest = Pool({node});
  const auto waiting = Pool({node});
  for (const auto& pool : {busy, recent, longest}) ASSERT_EQ(pool->Open(1), 1);
  recent->idle_since = now_ - seconds(1);
  longest->idle_since = now_ - seconds(2);
  waiting->Open(1);
  waiting->share->AskForRoom();
  EXPECT_EQ(longest->made_way, 1);
  EXPECT_EQ(recent->made_way, 0);
  waiting->share->AskForRoom();  // one is on its way already
  EXPECT_EQ(recent->made_way, 0);
  longest->parting.clear();
  EXPECT_EQ(waiting->kept, 1);
}

TEST_F(QuotaTest, AsksNobodyOutsideTheCap) {
  const auto node = Node(1);
  const auto elsewhere = Cap(Quota::Kind::kNode, "other", 1);
  const auto holder = Pool({node}), other = Pool({elsewhere}), waiting = Pool({node});
  ASSERT_EQ(holder->Open(1), 1);
  ASSERT_EQ(other->Open(1), 1);
  other->idle_since = now_ - seconds(1);
  waiting->Open(1);
  waiting->share->AskForRoom();
  EXPECT_EQ(other->made_way, 0);
}

TEST_F(QuotaTest, HigherLimitServesWhoWaits) {
  const auto node = Node(1);
  const auto a = Pool({node}), b = Pool({node});
  ASSERT_EQ(a->Open(1), 1);
  b->Open(2);
  quotas_->SetLimit(*node, 2);
  EXPECT_EQ(b->kept, 1);
  quotas_->SetLimit(*node, 0);
  EXPECT_EQ(b->Open(2), 2);
}

TEST_F(QuotaTest, LowerLimitEndsWhatIsFree) {
  const auto node = Node(0);
  const auto a = Pool({node});
  ASSERT_EQ(a->Open(3), 3);
  quotas_->SetLimit(*node, 2);
  EXPECT_TRUE(a->Yields(now_ - seconds(1)));
  std::swap(a->open.front(), a->open.back());
  EXPECT_FALSE(a->Yields(now_ - seconds(1)));
  EXPECT_EQ(a->Open(1), 0);
  std::swap(a->open.front(), a->open.back());
  a->open.erase(a->open.begin());
  EXPECT_EQ(Used(*node), 2);
  EXPECT_EQ(a->Open(1), 0);
}

TEST_F(QuotaTest, SparePlacesAreLeftToThoseWhoWait) {
  const auto node = Node(2);
  const auto database = Cap(Quota::Kind::kDatabase, "d", 1);
  const auto minimal = Pool({node});
  const auto holder = Pool({database, node}), waiting = Pool({database, node});
  ASSERT_EQ(holder->Open(1), 1);
  waiting->Open(1);
  EXPECT_TRUE(minimal->share->ClaimSpare(1).empty());
  waiting->Open(0);
  EXPECT_EQ(minimal->share->ClaimSpare(5).size(), 1u);
}

TEST_F(QuotaTest, ForgetsCapsThatNobodyShares) {
  auto node = Node(1);
  auto a = Pool({node});
  node.reset();
  quotas_->Prune();
  EXPECT_EQ(quotas_->All().size(), 1u);
  a.reset();
  quotas_->Prune();
  EXPECT_TRUE(quotas_->All().empty());
}

// Many threads, caps across each other: no cap is ever exceeded and all places come back.
TEST_F(QuotaTest, HoldsItsLimitsUnderThreads) {
  const auto node = Node(4);
  const std::vector<std::shared_ptr<Quota>> databases = {Cap(Quota::Kind::kDatabase, "a", 3),
                                                         Cap(Quota::Kind::kDatabase, "b", 3)};
  std::atomic<int> open{0}, most{0}, served{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto pool = Pool({databases[t % 2], node});
      std::minstd_rand random(t + 1);
      for (int i = 0; i < 30000; ++i) {
        const int got = pool->Open(static_cast<int>(random() % 3));
        served += got;
        const int now_open = open += got;
        int before = most.load();
        while (now_open > before && !most.compare_exchange_weak(before, now_open)) {
        }
        while (!pool->open.empty() && random() % 4 != 0) {
          if (random() % 2 == 0) pool->Yields(Clock::now());
          --open;
          pool->open.erase(pool->open.begin());
        }
      }
      open -= static_cast<int>(pool->open.size());
      pool->open.clear();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 4);
  EXPECT_GT(served, 100);
  for (const auto& quota : quotas_->All()) {
    EXPECT_EQ(Used(*quota), 0);
    EXPECT_EQ(quotas_->numbers(*quota).parting, 0);
  }
}

}  // namespace
}  // namespace pgweir::pooler
