#include "wire/proxy_header.h"

#include <gmock/gmock.h>

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

StatusOr<ProxyHeader> ReadText(std::string_view text) { return ReadProxyHeader(AsBytes(text)); }

// "address:port size", "- size" without an address, "more", or the error.
std::string Shown(std::string_view text) {
  const auto header = ReadText(text);
  if (!header.ok()) {
    EXPECT_EQ(SqlStateOf(header.status()), "08P01");
    return MessageOf(header.status());
  }
  if (header->size == 0) return "more";
  const std::string source =
      header->source.has_value() ? header->source->address.WithPort(header->source->port) : "-";
  return fmt::format("{} {}", source, header->size);
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string V2(char command, char family, std::string_view rest) {
  std::string header = kSignature + command + family;
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  return header + std::string(rest);
}

const std::string kAddresses4 = "\x0a\x01\x02\x03\x0a\x00\x00\x01\x30\x39\x15\x38"s;
const std::string kAddresses6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s + std::string(15, '\0') + "\x01\x30\x39\x15\x38"s;

TEST(ProxyHeader, Version1SaysWhoConnected) {
  EXPECT_EQ(Shown("PROXY TCP4 10.1.2.3 10.0.0.1 12345 5432\r\nrest"), "10.1.2.3:12345 41");
  EXPECT_EQ(Shown("PROXY TCP6 2001:db8::7 ::1 1 65535\r\n"), "[2001:db8::7]:1 36");
  EXPECT_EQ(Shown("PROXY TCP6 ::ffff:10.1.2.3 ::1 1 2\r\n"), "10.1.2.3:1 36");
}

TEST(ProxyHeader, Version1MayNotKnow) {
  EXPECT_EQ(Shown("PROXY UNKNOWN\r\n"), "- 15");
  EXPECT_EQ(Shown("PROXY UNKNOWN ::1 ::1 1 2\r\n"), "- 27");
}

TEST(ProxyHeader, MalformedVersion1IsRefused) {
  for (const char* line :
       {"PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"}) {
    EXPECT_THAT(Shown(line), HasSubstr("malformed PROXY header")) << line;
  }
  EXPECT_THAT(Shown("PROXY TCP4 " + std::string(96, '1')), HasSubstr("the line does not end"));
}

TEST(ProxyHeader, Version2SaysWhoConnected) {
  EXPECT_EQ(Shown(V2(0x21, 0x11, kAddresses4)), "10.1.2.3:12345 28");
  EXPECT_EQ(Shown(V2(0x21, 0x21, kAddresses6) + "rest"), "[2001:db8::7]:12345 52");
}

TEST(ProxyHeader, Version2WithoutAnAddress) {
  EXPECT_EQ(Shown(V2(0x20, 0x11, kAddresses4)), "- 28");  // LOCAL
  EXPECT_EQ(Shown(V2(0x20, 0x00, "")), "- 16");
  EXPECT_EQ(Shown(V2(0x21, 0x00, "whatever")), "- 24");
  EXPECT_EQ(Shown(V2(0x21, 0x31, std::string(216, 'u'))), "- 232");
}

TEST(ProxyHeader, AdditionalFieldsArePassedOver) {
  EXPECT_EQ(Shown(V2(0x21, 0x11, kAddresses4 + "\x01\x00\x02h2\xea\x00\x00"s)),
            "10.1.2.3:12345 36");
  for (const std::string& cut : {"\x01"s, "\x01\x00"s, "\x01\x00\x03h2"s}) {
    EXPECT_THAT(Shown(V2(0x21, 0x11, kAddresses4 + cut)), HasSubstr("cut off"));
  }
}

// The checksum of this header was computed by another implementation.
TEST(ProxyHeader, ChecksumIsVerified) {
  const std::string good = V2(0x21, 0x11, kAddresses4 + "\x03\x00\x04\x0f\x60\x91\x7e"s);
  EXPECT_EQ(Shown(good), "10.1.2.3:12345 35");
  for (size_t at : {16u, 20u, 31u, 34u}) {
    std::string changed = good;
    changed[at] ^= 1;
    EXPECT_THAT(Shown(changed), HasSubstr("the checksum is wrong")) << at;
  }
  EXPECT_THAT(Shown(V2(0x21, 0x11, kAddresses4 + "\x03\x00\x02xx"s)), HasSubstr("checksum"));
}

TEST(ProxyHeader, MalformedVersion2IsRefused) {
  EXPECT_THAT(Shown(V2(0x22, 0x11, kAddresses4)), HasSubstr("unknown version or command"));
  EXPECT_THAT(Shown(V2(0x11, 0x11, kAddresses4)), HasSubstr("unknown version or command"));
  EXPECT_THAT(Shown(V2(0x21, 0x12, kAddresses4)), HasSubstr("unknown family"));
  EXPECT_THAT(Shown(V2(0x21, 0x11, kAddresses4.substr(1))), HasSubstr("cut off"));
  EXPECT_THAT(Shown(V2(0x21, 0x21, kAddresses4)), HasSubstr("cut off"));
  EXPECT_THAT(Shown(V2(0x21, 0x31, "short")), HasSubstr("cut off"));
  EXPECT_THAT(Shown(V2(0x21, 0x11, std::string(5000, 'x')).substr(0, 16)), HasSubstr("too long"));
  EXPECT_THAT(Shown("PROXI TCP4"), HasSubstr("unknown signature"));
  EXPECT_THAT(Shown(""s + "\r\n\r\n\r"), HasSubstr("unknown signature"));
}

TEST(ProxyHeader, EveryBeginningWaitsForMore) {
  const std::string v1 = "PROXY TCP4 10.1.2.3 10.0.0.1 12345 5432\r\n";
  for (const std::string& whole : {v1, V2(0x21, 0x21, kAddresses6)}) {
    for (size_t n = 0; n < whole.size(); ++n) {
      EXPECT_EQ(Shown(whole.substr(0, n)), "more") << n;
    }
    EXPECT_TRUE(BeginsProxyHeader(AsBytes(whole)[0]));
  }
  for (const char first : {'\0', '\x16', 'Q'}) {
    EXPECT_FALSE(BeginsProxyHeader(static_cast<std::byte>(first)));
  }
}

}  // namespace
}  // namespace pgweir::wire
