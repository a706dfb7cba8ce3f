#include "config/duration.h"

#include "gtest/gtest.h"

namespace pgweir::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Duration, IsAWholeNumberAndAUnit) {
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("30s"), seconds(30));
  EXPECT_EQ(ParseDuration("10m"), minutes(10));
  EXPECT_EQ(ParseDuration("1h"), hours(1));
  EXPECT_EQ(ParseDuration("1d"), hours(24));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("007s"), seconds(7));
}

TEST(Duration, IsNothingElse) {
  for (const char* text : {"", "s", "30", "0", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S",
                           "1min", "1us", "1h30m", "ms1", "0x1s", "1e3s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(Duration, EndsAtAYearInEveryUnit) {
  EXPECT_EQ(ParseDuration("365d"), kMaxDuration);
  EXPECT_EQ(ParseDuration("31536000s"), kMaxDuration);
  for (const char* text : {"366d", "8761h", "31536001s", "31536000001ms", "18446744073709551615d",
                           "99999999999999999999999ms"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pgweir::config
