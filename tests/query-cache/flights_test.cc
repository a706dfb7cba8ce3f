#include "query-cache/flights.h"

#include <gmock/gmock.h>

#include <barrier>
#include <random>
#include <set>
#include <thread>

#include "tests/query-cache/entries.h"

namespace pgweir::cache {
namespace {

using test::Answer;
using test::KeyOf;

const std::string kName = "SELECT 1";

// Who joins flights by one name, and what they were told.
class FlightsTest : public testing::Test {
 protected:
  struct Client {
    std::optional<Lead> lead;
    std::optional<Wait> wait;
    std::string heard;  // "" nothing, or "answer", "lead", "alone"
    EntryRef answer;

    Tell Ear() {
      return [this](News news) {
        EXPECT_EQ(heard, "") << "told twice";
        if (auto* entry = std::get_if<EntryRef>(&news)) {
          heard = "answer";
          answer = *entry;
        } else if (auto* leading = std::get_if<Lead>(&news)) {
          heard = "lead";
          lead = std::move(*leading);
        } else {
          heard = "alone";
        }
      };
    }
  };

  void Join(Client& client, const std::string& name = kName) {
    auto joined = flights_.Join(KeyOf(name), versions_.Read(extent_), client.Ear());
    if (auto* lead = std::get_if<Lead>(&joined)) {
      client.lead = std::move(*lead);
    } else {
      client.wait = std::get<Wait>(std::move(joined));
    }
  }

  Versions versions_;
  Extent extent_{DatabaseOf("market"), {{TableOf(DatabaseOf("market"), "public", "t"), {}}}, false};
  Flights flights_;
};

TEST_F(FlightsTest, HaveOneLeaderAKey) {
  Client first, second, other;
  Join(first);
  Join(second);
  Join(other, "SELECT 2");
  EXPECT_TRUE(first.lead.has_value());
  EXPECT_TRUE(second.wait.has_value());
  EXPECT_TRUE(other.lead.has_value());
  EXPECT_EQ(flights_.size(), 2u);
}

TEST_F(FlightsTest, GiveTheLeadersAnswerToAllWhoWait) {
  Client leader, second, third;
  Join(leader);
  Join(second);
  Join(third);
  const EntryRef answer = Answer(kName);
  leader.lead->Land(answer);
  EXPECT_EQ(second.answer, answer);
  EXPECT_EQ(third.answer, answer);
  EXPECT_EQ(leader.heard, "");
  EXPECT_EQ(flights_.size(), 0u);
  Client later;
  Join(later);
  EXPECT_TRUE(later.lead.has_value());
}

// Situation 59: its error is its own.
TEST_F(FlightsTest, LetTheNextOneLeadWhenALeaderFails) {
  Client leader, second, third;
  Join(leader);
  Join(second);
  Join(third);
  leader.lead->Fail();
  EXPECT_EQ(second.heard, "lead");
  EXPECT_EQ(third.heard, "");
  Client fourth;
  Join(fourth);
  EXPECT_TRUE(fourth.wait.has_value()) << "behind the new leader";
  second.lead->Land(Answer(kName));
  EXPECT_EQ(third.heard, "answer");
  EXPECT_EQ(fourth.heard, "answer");
}

// Situation 57: the leader's client goes away.
TEST_F(FlightsTest, TakeADestroyedLeaderForAFailure) {
  Client second;
  {
    Client leader;
    Join(leader);
    Join(second);
  }
  EXPECT_EQ(second.heard, "lead");
  second.lead.reset();
  EXPECT_EQ(flights_.size(), 0u);
}

TEST_F(FlightsTest, SendAllToTheServerWhenTheAnswerIsNoneForOthers) {
  Client leader, second, third;
  Join(leader);
  Join(second);
  Join(third);
  leader.lead->GiveUp();
  EXPECT_EQ(second.heard, "alone");
  EXPECT_EQ(third.heard, "alone");
  EXPECT_EQ(flights_.size(), 0u);
}

// Situation 58: the waiter answers for itself, the others don't notice.
TEST_F(FlightsTest, LetAWaiterLeaveAlone) {
  Client leader, second, third;
  Join(leader);
  Join(second);
  Join(third);
  EXPECT_TRUE(second.wait->Leave());
  EXPECT_FALSE(second.wait->Leave());
  leader.lead->Land(Answer(kName));
  EXPECT_EQ(second.heard, "");
  EXPECT_EQ(third.heard, "answer");
}

TEST_F(FlightsTest, SayThatItIsTooLateToLeave) {
  Client leader, second;
  Join(leader);
  Join(second);
  leader.lead->Land(Answer(kName));
  EXPECT_FALSE(second.wait->Leave());
}

// Told that it leads in the very moment in which its time is up: its callback drops what it gets.
TEST_F(FlightsTest, PassTheLeadOnWhenTheNextOneHasLeft) {
  Client leader, last;
  Join(leader);
  std::optional<Wait> wait;
  bool was_told = false;
  auto joined = flights_.Join(KeyOf(kName), versions_.Read(extent_), [&](News) {
    was_told = true;
    EXPECT_FALSE(wait->Leave());
  });
  wait = std::get<Wait>(std::move(joined));
  Join(last);
  leader.lead->Fail();
  EXPECT_TRUE(was_told);
  EXPECT_EQ(last.heard, "lead");
}

TEST_F(FlightsTest, PassTheLeadDownALongLineWithoutRecursion) {
  Client leader, last;
  Join(leader);
  std::vector<Wait> waits;
  constexpr int kMany = 200'000;
  int told = 0;
  for (int i = 0; i < kMany; ++i) {
    auto joined = flights_.Join(KeyOf(kName), versions_.Read(extent_), [&](News) { ++told; });
    waits.push_back(std::get<Wait>(std::move(joined)));
  }
  Join(last);
  leader.lead->Fail();
  EXPECT_EQ(told, kMany);
  EXPECT_EQ(last.heard, "lead");
}

// A waiter's callback may do with the flights what it likes: no mutex is held.
TEST_F(FlightsTest, MayBeUsedWithinACallback) {
  Client leader, again;
  Join(leader);
  auto joined = flights_.Join(KeyOf(kName), versions_.Read(extent_), [&](News) { Join(again); });
  leader.lead->Land(Answer(kName));
  EXPECT_TRUE(again.lead.has_value());
}

// What the leader reads may lack a write that the newcomer knows of.
TEST_F(FlightsTest, DoNotLetOneWaitForAnAnswerFromBeforeAWrite) {
  Client before, with_it, after, with_that;
  Join(before);
  Join(with_it);
  versions_.Bump(extent_);
  Join(after);
  Join(with_that);
  ASSERT_TRUE(after.lead.has_value());
  EXPECT_TRUE(with_that.wait.has_value());
  const EntryRef old = Answer(kName);
  before.lead->Land(old);
  EXPECT_EQ(with_it.answer, old);
  EXPECT_EQ(with_that.heard, "");
  Client later;
  Join(later);
  EXPECT_TRUE(later.wait.has_value()) << "the newer flight goes on";
  const EntryRef fresh = Answer(kName);
  after.lead->Land(fresh);
  EXPECT_EQ(with_that.answer, fresh);
  EXPECT_EQ(later.answer, fresh);
}

TEST_F(FlightsTest, TellAKeyFromAnotherOfTheSameHash) {
  Client leader;
  Join(leader);
  const Key other{"SELECT 2", KeyOf(kName).hash};
  auto joined = flights_.Join(other, versions_.Read(extent_), [](News) {});
  EXPECT_TRUE(std::holds_alternative<Lead>(joined));
}

TEST_F(FlightsTest, RefreshOnceAtATime) {
  std::optional<Lead> first = flights_.TryLead(KeyOf(kName), versions_.Read(extent_));
  EXPECT_TRUE(first.has_value());
  EXPECT_FALSE(flights_.TryLead(KeyOf(kName), versions_.Read(extent_)).has_value());
  Client cold;
  Join(cold);
  EXPECT_TRUE(cold.wait.has_value());
  first->Land(Answer(kName));
  EXPECT_EQ(cold.heard, "answer");
  EXPECT_TRUE(flights_.TryLead(KeyOf(kName), versions_.Read(extent_)).has_value());
}

TEST_F(FlightsTest, HaveOneLeaderOfManyThreads) {
  constexpr int kThreads = 8;
  for (int round = 0; round < 200; ++round) {
    std::barrier together(kThreads);
    std::atomic<int> leaders = 0;
    std::atomic<int> answers = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        const Key key = KeyOf(kName);
        together.arrive_and_wait();
        auto joined = flights_.Join(key, versions_.Read(extent_), [&](News news) {
          answers += std::holds_alternative<EntryRef>(news) ? 1 : 0;
        });
        together.arrive_and_wait();
        if (auto* lead = std::get_if<Lead>(&joined)) {
          ++leaders;
          lead->Land(Answer(kName));
        }
        together.arrive_and_wait();
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(leaders, 1);
    ASSERT_EQ(answers, kThreads - 1);
    ASSERT_EQ(flights_.size(), 0u);
  }
}

// Leaders that land, give up, fail or hand over, waiters that leave: each is told once or has left,
// and none is forgotten.
TEST_F(FlightsTest, ForgetNobodyWhateverTheThreadsDo) {
  constexpr int kThreads = 4;
  std::atomic<int> joined_count = 0;
  std::atomic<int> over = 0;  // told, or left
  // What a thread has been told, for it to deal with.
  struct Inbox {
    Mutex mutex;
    std::vector<News> news;
  };
  std::vector<Inbox> inboxes(kThreads);
  const auto deal_with = [&](Lead lead, unsigned choice) {
    switch (choice % 4) {
      case 0:
        return lead.Land(Answer(kName));
      case 1:
        return lead.GiveUp();
      default:
        return lead.Fail();
    }
  };
  const auto read_inbox = [&](int i, std::mt19937& random) {
    std::vector<News> news;
    {
      MutexLock lock(inboxes[static_cast<size_t>(i)].mutex);
      news = std::exchange(inboxes[static_cast<size_t>(i)].news, {});
    }
    for (News& piece : news) {
      ++over;
      if (auto* lead = std::get_if<Lead>(&piece)) deal_with(std::move(*lead), random());
    }
    return !news.empty();
  };
  std::barrier start(kThreads);
  std::vector<std::vector<Wait>> waits(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      const Key key = KeyOf(kName);
      std::vector<Lead> leads;  // whose query is under way
      start.arrive_and_wait();
      for (int round = 0; round < 5000; ++round) {
        if (random() % 10 == 0) versions_.Bump(extent_);
        auto joined = flights_.Join(key, versions_.Read(extent_), [&, i](News news) {
          Inbox& inbox = inboxes[static_cast<size_t>(i)];
          MutexLock lock(inbox.mutex);
          inbox.news.push_back(std::move(news));
        });
        if (auto* lead = std::get_if<Lead>(&joined)) {
          leads.push_back(std::move(*lead));
        } else {
          ++joined_count;
          Wait& wait =
              waits[static_cast<size_t>(i)].emplace_back(std::get<Wait>(std::move(joined)));
          if (random() % 3 == 0 && wait.Leave()) ++over;
        }
        read_inbox(i, random);
        if (leads.empty() || random() % 4 != 0) continue;
        deal_with(std::move(leads.back()), random());
        leads.pop_back();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::mt19937 random;
  for (bool any = true; any;) {
    any = false;
    for (int i = 0; i < kThreads; ++i) any = read_inbox(i, random) || any;
  }
  EXPECT_GT(joined_count, 1000);
  EXPECT_EQ(over, joined_count);
  EXPECT_EQ(flights_.size(), 0u);
}

}  // namespace
}  // namespace pgweir::cache
