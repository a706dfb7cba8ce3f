#include "query-cache/freshness.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/query-cache/entries.h"

namespace pgweir::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kSent{seconds(1000)};

// An entry of a key whose lifetimes are not shortened.
Entry Unshortened(uint64_t rows = 1) {
  Entry entry;
  entry.row_count = rows;
  entry.sent_at = kSent;
  return entry;
}

Freshness After(const Lifetimes& lifetimes, Duration age, uint64_t rows = 1) {
  return Judge(Unshortened(rows), lifetimes, kSent + age);
}

constexpr Lifetimes kPlain{.ttl = seconds(5), .empty_ttl = seconds(1)};

// Situation 62: an answer that took four of its five seconds to come is fresh for one.
TEST(Freshness, CountsFromWhenTheQueryWasSent) {
  EXPECT_EQ(After(kPlain, Duration::zero()), Freshness::kFresh);
  EXPECT_EQ(After(kPlain, milliseconds(4999)), Freshness::kFresh);
  EXPECT_EQ(After(kPlain, seconds(5)), Freshness::kExpired);
}

TEST(Freshness, IsJudgedByTheRuleAsItStandsNow) {
  const Entry entry = Unshortened();
  EXPECT_EQ(Judge(entry, kPlain, kSent + seconds(3)), Freshness::kFresh);
  Lifetimes shorter = kPlain;
  shorter.ttl = seconds(2);
  EXPECT_EQ(Judge(entry, shorter, kSent + seconds(3)), Freshness::kExpired);
}

// Situation 63.
TEST(Freshness, OfAnEmptyAnswerHasATimeOfItsOwn) {
  EXPECT_EQ(After(kPlain, milliseconds(999), 0), Freshness::kFresh);
  EXPECT_EQ(After(kPlain, seconds(1), 0), Freshness::kExpired);
}

TEST(Freshness, IsNoneOfAnEmptyAnswerThatTheRuleDoesNotCache) {
  Lifetimes lifetimes = kPlain;
  lifetimes.empty_ttl = Duration::zero();
  lifetimes.stale_if_error = lifetimes.stale_while_revalidate = seconds(60);
  EXPECT_EQ(After(lifetimes, Duration::zero(), 0), Freshness::kExpired);
  EXPECT_EQ(After(lifetimes, Duration::zero(), 1), Freshness::kFresh);
}

TEST(Freshness, PassesThroughItsWindows) {
  Lifetimes lifetimes = kPlain;
  lifetimes.stale_while_revalidate = seconds(2);
  lifetimes.stale_if_error = seconds(10);
  EXPECT_EQ(After(lifetimes, milliseconds(4999)), Freshness::kFresh);
  EXPECT_EQ(After(lifetimes, seconds(5)), Freshness::kStale);
  EXPECT_EQ(After(lifetimes, milliseconds(6999)), Freshness::kStale);
  EXPECT_EQ(After(lifetimes, seconds(7)), Freshness::kIfError);
  EXPECT_EQ(After(lifetimes, milliseconds(14'999)), Freshness::kIfError);
  EXPECT_EQ(After(lifetimes, seconds(15)), Freshness::kExpired);
}

TEST(Freshness, HasEitherWindowAlone) {
  Lifetimes lifetimes = kPlain;
  lifetimes.stale_if_error = seconds(2);
  EXPECT_EQ(After(lifetimes, seconds(6)), Freshness::kIfError);
  lifetimes = kPlain;
  lifetimes.stale_while_revalidate = seconds(2);
  EXPECT_EQ(After(lifetimes, seconds(6)), Freshness::kStale);
  EXPECT_EQ(After(lifetimes, seconds(7)), Freshness::kExpired);
}

TEST(Freshness, EndsAtDifferentTimesForDifferentKeysButNeverLate) {
  std::set<Duration> ends;
  for (int i = 0; i < 200; ++i) {
    const EntryRef entry = test::Answer(std::to_string(i));
    const Duration fresh = FreshFor(*entry, kPlain);
    EXPECT_LE(fresh, seconds(5));
    EXPECT_GE(fresh, milliseconds(4500));
    EXPECT_EQ(fresh, FreshFor(*test::Answer(std::to_string(i)), kPlain)) << "the same each time";
    ends.insert(fresh);
  }
  EXPECT_GT(ends.size(), 150u);
}

TEST(Freshness, HasNoOverflowAtTheLongestTimes) {
  constexpr Duration kYear = std::chrono::hours(24 * 365);
  const Lifetimes longest{kYear, kYear, kYear, kYear};
  Entry entry = Unshortened();
  entry.hash.low = ~uint64_t{0};
  EXPECT_GT(FreshFor(entry, longest), kYear / 10 * 8);
  EXPECT_EQ(Judge(entry, longest, kSent + kYear + kYear / 2), Freshness::kStale);
}

}  // namespace
}  // namespace pgweir::cache
