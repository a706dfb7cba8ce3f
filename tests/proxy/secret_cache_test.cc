#include "proxy/secret_cache.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

using std::chrono::seconds;

UserSecret Secret(std::string text) { return {.text = std::move(text)}; }

class Cache : public testing::Test {
 protected:
  std::string Find(std::string_view database, std::string_view user) {
    const auto found = cache_.Find(database, user, now_);
    return found.has_value() ? found->text.value_or("unknown") : "nothing";
  }

  SecretCache cache_{3};
  const TimePoint now_ = Clock::now();
  const TimePoint later_ = now_ + seconds(60);
};

TEST_F(Cache, RemembersByDatabaseAndUser) {
  cache_.Put("a", "ann", Secret("1"), later_);
  cache_.Put("b", "ann", Secret("2"), later_);
  cache_.Put("a", "bob", UserSecret(), later_);
  EXPECT_EQ(Find("a", "ann"), "1");
  EXPECT_EQ(Find("b", "ann"), "2");
  EXPECT_EQ(Find("a", "bob"), "unknown");
  EXPECT_EQ(Find("b", "bob"), "nothing");
}

TEST_F(Cache, ForgetsInTime) {
  cache_.Put("a", "ann", Secret("1"), later_);
  EXPECT_TRUE(cache_.Find("a", "ann", later_ - seconds(1)).has_value());
  EXPECT_FALSE(cache_.Find("a", "ann", later_).has_value());
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(Cache, LaterAnswerReplacesTheEarlier) {
  cache_.Put("a", "ann", Secret("1"), later_);
  cache_.Put("a", "ann", Secret("2"), later_);
  EXPECT_EQ(Find("a", "ann"), "2");
  EXPECT_EQ(cache_.size(), 1u);
}

TEST_F(Cache, IsBoundedAndForgetsWhatWasUsedLongestAgo) {
  for (const char* user : {"ann", "bob", "cay"}) cache_.Put("a", user, Secret(user), later_);
  EXPECT_EQ(Find("a", "ann"), "ann");
  cache_.Put("a", "dan", Secret("dan"), later_);
  EXPECT_EQ(cache_.size(), 3u);
  EXPECT_EQ(Find("a", "bob"), "nothing");
  EXPECT_EQ(Find("a", "ann"), "ann");
}

TEST_F(Cache, DropsAndClears) {
  cache_.Put("a", "ann", Secret("1"), later_);
  cache_.Put("a", "bob", Secret("2"), later_);
  cache_.Drop("a", "ann");
  cache_.Drop("a", "nobody");
  EXPECT_EQ(Find("a", "ann"), "nothing");
  EXPECT_EQ(Find("a", "bob"), "2");
  cache_.Clear();
  EXPECT_EQ(Find("a", "bob"), "nothing");
}

TEST(UserSecret, IsGoodUntilItsTime) {
  const WallTime now = std::chrono::system_clock::now();
  EXPECT_EQ(UserSecret().At(now), nullptr);
  EXPECT_EQ(Secret("").At(now), nullptr);
  UserSecret secret = Secret("s");
  ASSERT_NE(secret.At(now), nullptr);
  EXPECT_EQ(*secret.At(now), "s");
  secret.valid_until = now;
  EXPECT_EQ(secret.At(now), nullptr);
  EXPECT_NE(secret.At(now - seconds(1)), nullptr);
}

int64_t Seconds(std::string_view text) {
  const auto time = ParseTimestamp(text);
  EXPECT_TRUE(time.has_value()) << text;
  if (!time.has_value()) return 0;
  return std::chrono::duration_cast<seconds>(time->time_since_epoch()).count();
}

TEST(ParseTimestamp, ReadsWhatPostgresWrites) {
  EXPECT_EQ(Seconds("1970-01-01"), 0);
  EXPECT_EQ(Seconds("1970-01-02 00:00:01+00"), 86401);
  EXPECT_EQ(Seconds("2024-02-29 12:34:56.789+00"), 1709210096);
  EXPECT_EQ(Seconds("2024-02-29 12:34:56"), 1709210096);
  EXPECT_EQ(Seconds("2024-02-29 14:34:56+02"), 1709210096);
  EXPECT_EQ(Seconds("2024-02-29 07:04:56-05:30"), 1709210096);
  EXPECT_EQ(ParseTimestamp("infinity"), WallTime::max());
  EXPECT_EQ(ParseTimestamp("-infinity"), WallTime::min());
  EXPECT_EQ(ParseTimestamp("294276-12-31 23:59:59+00"), WallTime::max());
  EXPECT_EQ(ParseTimestamp("0044-03-15 00:00:00+00 BC"), WallTime::min());
  EXPECT_EQ(ParseTimestamp("1066-10-14 00:00:00+00"), WallTime::min());
}

TEST(ParseTimestamp, RefusesWhatIsNone) {
  for (const char* text :
       {"", "soon", "2024", "2024-1-1", "2024-13-01", "2024-02-30", "2024-02-29 ", "2024-02-29 12",
        "2024-02-29 12:34", "2024-02-29 99:00:00", "2024-02-29 12:34:56+", "2024-02-29x",
        "99999999999-01-01", "Thu 29 Feb 12:34:56 2024 UTC", "02/29/2024 12:34:56"}) {
    EXPECT_FALSE(ParseTimestamp(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pgweir::proxy
