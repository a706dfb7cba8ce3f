#include "base/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace pgweir {
namespace {

IpAddress Address(std::string_view text) { return IpAddress::Parse(text).value(); }
IpRange Range(std::string_view text) { return IpRange::Parse(text).value(); }

TEST(IpAddress, ReadsAndWritesTheUsualNotations) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fe80::1:2",
                           "2001:db8:1:2:3:4:5:6"}) {
    EXPECT_EQ(Address(text).ToString(), text);
  }
  EXPECT_EQ(Address("1.2.3.4").WithPort(5432), "1.2.3.4:5432");
  EXPECT_EQ(Address("::1").WithPort(5432), "[::1]:5432");
}

TEST(IpAddress, RefusesWhatIsNone) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text :
       {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
        "localhost"sv, ":::"sv, "1::2::3"sv, "fe80::1%eth0"sv, "1.2.3.4/8"sv, "[::1]"sv,
        "::1\0"sv}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
}

TEST(IpAddress, TakesAWrappedIpv4AddressForWhatItIs) {
  EXPECT_EQ(Address("::ffff:10.1.2.3"), Address("10.1.2.3"));
  EXPECT_EQ(Address("::ffff:10.1.2.3").family(), IpAddress::Family::kV4);
  sockaddr_in6 wrapped{};
  wrapped.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "::ffff:10.1.2.3", &wrapped.sin6_addr);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&wrapped)), Address("10.1.2.3"));
}

TEST(IpRange, HoldsWhatAgreesInThePrefix) {
  EXPECT_TRUE(Range("10.0.0.0/8").Contains(Address("10.255.1.2")));
  EXPECT_FALSE(Range("10.0.0.0/8").Contains(Address("11.0.0.0")));
  EXPECT_TRUE(Range("10.1.2.3/8").Contains(Address("10.9.9.9")));
  EXPECT_TRUE(Range("192.168.4.0/22").Contains(Address("192.168.7.255")));
  EXPECT_FALSE(Range("192.168.4.0/22").Contains(Address("192.168.8.0")));
  EXPECT_TRUE(Range("10.1.2.3").Contains(Address("10.1.2.3")));
  EXPECT_FALSE(Range("10.1.2.3").Contains(Address("10.1.2.2")));
  EXPECT_TRUE(Range("fd00::/8").Contains(Address("fdab::1")));
  EXPECT_FALSE(Range("fd00::/8").Contains(Address("fe80::1")));
}

TEST(IpRange, KeepsTheFamiliesApart) {
  EXPECT_TRUE(Range("0.0.0.0/0").Contains(Address("9.9.9.9")));
  EXPECT_FALSE(Range("0.0.0.0/0").Contains(Address("::")));
  EXPECT_TRUE(Range("::/0").Contains(Address("ffff::")));
  EXPECT_FALSE(Range("::/0").Contains(Address("0.0.0.0")));
}

TEST(IpRange, TakesAMask) {
  const IpRange odd(Address("10.0.0.1"), Address("255.0.0.255"));
  EXPECT_TRUE(odd.Contains(Address("10.7.7.1")));
  EXPECT_FALSE(odd.Contains(Address("10.7.7.2")));
}

TEST(IpRange, RefusesWhatIsNone) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.0/8/8", "::/129", "10/8", "host/8", "10.0.0.0/+8"}) {
    EXPECT_FALSE(IpRange::Parse(text).has_value()) << text;
  }
}

TEST(IpAddress, ReadsAnAddressWithItsPort) {
  for (const char* text : {"127.0.0.1:9632", "[::1]:0", "[fe80::1]:65535"}) {
    const auto read = IpAddress::ParseWithPort(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(read->first.WithPort(read->second), text);
  }
  for (const char* text : {"", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:1x", "[127.0.0.1]:1", "::1:9632", "[::1]", "localhost:1"}) {
    EXPECT_FALSE(IpAddress::ParseWithPort(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pgweir
