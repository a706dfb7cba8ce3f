#include "proxy/time_limits.h"

#include "gtest/gtest.h"

namespace pgweir::proxy {
namespace {

using Doing = TimeLimits::Doing;
using Exceeded = TimeLimits::Exceeded;
using std::chrono::milliseconds;

const TimePoint kStart = TimePoint() + std::chrono::hours(1);

TimePoint At(int ms) { return kStart + milliseconds(ms); }

TimeLimits Limits(int query, int transaction, int idle_transaction, int idle) {
  config::Pool pool;
  pool.query_timeout = milliseconds(query);
  pool.transaction_timeout = milliseconds(transaction);
  pool.idle_transaction_timeout = milliseconds(idle_transaction);
  pool.client_idle_timeout = milliseconds(idle);
  TimeLimits limits;
  limits.Configure(pool);
  return limits;
}

constexpr Doing kIdle{};
constexpr Doing kWorking{.working = true};

TEST(TimeLimits, NoneLastsForEver) {
  TimeLimits limits = Limits(0, 0, 0, 0);
  EXPECT_FALSE(limits.any());
  EXPECT_EQ(limits.Watch(kWorking, At(0)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), kNoDeadline);
}

TEST(TimeLimits, QueryIsCancelledOnceThenEnded) {
  TimeLimits limits = Limits(100, 0, 0, 0);
  EXPECT_EQ(limits.Watch(kWorking, At(0)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), At(100));
  EXPECT_EQ(limits.Watch(kWorking, At(99)), Exceeded::kNothing);
  EXPECT_EQ(limits.Watch(kWorking, At(100)), Exceeded::kQuery);
  EXPECT_EQ(limits.Watch(kWorking, At(200)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), At(5100));
  EXPECT_EQ(limits.Watch(kWorking, At(5100)), Exceeded::kQueryForLong);
}

TEST(TimeLimits, EachAnswerBeginsAnotherQuery) {
  TimeLimits limits = Limits(100, 0, 0, 0);
  for (int i = 0; i < 10; ++i) {
    const Doing doing{.working = true, .answers = static_cast<uint64_t>(i)};
    EXPECT_EQ(limits.Watch(doing, At(i * 90)), Exceeded::kNothing);
    EXPECT_EQ(limits.next(), At(i * 90 + 100));
  }
}

TEST(TimeLimits, TransactionCountsFromItsBeginning) {
  TimeLimits limits = Limits(0, 100, 0, 0);
  const Doing waiting{.in_transaction = true};
  const Doing working{.working = true, .answers = 1, .in_transaction = true};
  EXPECT_EQ(limits.Watch(waiting, At(0)), Exceeded::kNothing);
  EXPECT_EQ(limits.Watch(working, At(60)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), At(100));
  EXPECT_EQ(limits.Watch(working, At(100)), Exceeded::kTransaction);
  EXPECT_EQ(limits.Watch(kIdle, At(110)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), kNoDeadline);
}

TEST(TimeLimits, IdleInATransactionIsNotIdle) {
  TimeLimits limits = Limits(0, 0, 50, 1000);
  const Doing waiting{.in_transaction = true};
  EXPECT_EQ(limits.Watch(waiting, At(0)), Exceeded::kNothing);
  EXPECT_EQ(limits.Watch(waiting, At(50)), Exceeded::kIdleInTransaction);
  EXPECT_EQ(limits.Watch(kIdle, At(60)), Exceeded::kNothing);
  EXPECT_EQ(limits.next(), At(1060));
  EXPECT_EQ(limits.Watch(kIdle, At(1060)), Exceeded::kIdle);
}

}  // namespace
}  // namespace pgweir::proxy
