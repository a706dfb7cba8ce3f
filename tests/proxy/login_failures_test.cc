#include "proxy/login_failures.h"

#include <gtest/gtest.h>

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirst = milliseconds(500);

IpAddress Address(const char* text) { return IpAddress::Parse(text).value(); }

class Failures : public testing::Test {
 protected:
  Duration Note(const char* address) {
    return failures_.Note(Address(address), "app", kFirst, now_);
  }

  LoginFailures failures_{6};
  TimePoint now_ = Clock::now();
};

TEST_F(Failures, CostFromTheThirdOnAndDoubleUpToABound) {
  std::vector<Duration> delays;
  for (int i = 0; i < 9; ++i) delays.push_back(Note("10.0.0.1"));
  const std::vector<Duration> expected = {seconds(0), seconds(0),  milliseconds(500),
                                          seconds(1), seconds(2),  seconds(4),
                                          seconds(8), seconds(10), seconds(10)};
  EXPECT_EQ(delays, expected);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Note("10.0.0.1"), seconds(10));
}

TEST_F(Failures, OfOneAddressDoNotDelayAnother) {
  for (int i = 0; i < 5; ++i) Note("10.0.0.1");
  EXPECT_EQ(Note("10.0.0.2"), seconds(0));
  EXPECT_GT(Note("10.0.0.1"), seconds(0));
}

TEST_F(Failures, AreForgottenAfterAWhile) {
  for (int i = 0; i < 5; ++i) Note("10.0.0.1");
  now_ += LoginFailures::kForgetAfter;
  EXPECT_EQ(Note("10.0.0.1"), seconds(0));
}

TEST_F(Failures, CountForAnIpv6NetworkAsAWhole) {
  Note("2001:db8::1");
  Note("2001:db8::2");
  EXPECT_EQ(Note("2001:db8::3"), kFirst);
  EXPECT_EQ(Note("2001:db8:0:1::3"), seconds(0));
}

TEST_F(Failures, AreKeptOfSoManyAddressesOnly) {
  for (int i = 0; i < 3; ++i) Note("10.0.0.1");
  for (const char* other : {"10.0.0.2", "10.0.0.3", "10.0.0.4"}) Note(other);
  EXPECT_EQ(failures_.size(), 6u);
  EXPECT_EQ(Note("10.0.0.1"), seconds(0));
}

// Who hangs up instead of waiting for the answer learns nothing sooner.
TEST_F(Failures, HoldBackTheNextLoginOfThatUserFromThere) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(failures_.HeldUntil(Address("10.0.0.1"), "app"), now_);
    Note("10.0.0.1");
  }
  EXPECT_EQ(failures_.HeldUntil(Address("10.0.0.1"), "app"), now_ + kFirst);
  EXPECT_EQ(failures_.HeldUntil(Address("10.0.0.1"), "other"), TimePoint());
  EXPECT_EQ(failures_.HeldUntil(Address("10.0.0.2"), "app"), TimePoint());
}

TEST_F(Failures, CostNothingWhereTheDelayIsOff) {
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(failures_.Note(Address("10.0.0.1"), "app", Duration::zero(), now_), seconds(0));
  }
  EXPECT_EQ(failures_.size(), 0u);
}

}  // namespace
}  // namespace pgweir::proxy
