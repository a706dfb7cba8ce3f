#include "wire/startup.h"

#include "gtest/gtest.h"
#include "wire/message_writer.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;
using Settings = std::vector<std::pair<std::string, std::string>>;

std::string Packet(uint32_t code, std::string_view body) {
  std::string out;
  {
    MessageWriter packet(out);
    packet.Int32(code);
    packet.Raw(body);
  }
  return out;
}

StatusOr<StartupPacket> Decode(uint32_t code, std::string_view body) {
  return DecodeStartup(AsBytes(Packet(code, body)));
}

StatusOr<StartupMessage> DecodeMessage(std::string_view body, uint32_t code = kProtocol30) {
  StatusOr<StartupPacket> packet = Decode(code, body);
  if (!packet.ok()) return packet.status();
  return std::get<StartupMessage>(*std::move(packet));
}

void ExpectError(const Status& status, std::string_view sqlstate, std::string_view message) {
  EXPECT_EQ(SqlStateOf(status), sqlstate);
  EXPECT_EQ(MessageOf(status), message);
}

TEST(StartupLength, IsUnknownBeforeFourBytesRule1) {
  const std::string packet = Packet(kSslRequestCode, "");
  for (size_t n = 0; n < 4; ++n) {
    EXPECT_EQ(StartupLength(AsBytes(packet).first(n)).value(), 0u) << n;
  }
  for (size_t n = 4; n <= packet.size(); ++n) {
    EXPECT_EQ(StartupLength(AsBytes(packet).first(n)).value(), 8u) << n;
  }
}

TEST(StartupLength, AcceptsEightToTenThousandRule1) {
  EXPECT_EQ(StartupLength(AsBytes("\0\0\0\x08"s)).value(), 8u);
  EXPECT_EQ(StartupLength(AsBytes("\0\0\x27\x10"s)).value(), 10000u);
  for (const std::string& length :
       {"\0\0\0\0"s, "\0\0\0\x07"s, "\0\0\x27\x11"s, "\x7f\xff\xff\xff"s, "\xff\xff\xff\xff"s,
        "\x16\x03\x01\x02"s}) {
    ExpectError(StartupLength(AsBytes(length)).status(), "08P01",
                "invalid length of startup packet");
  }
}

TEST(DecodeStartup, KnowsEncryptionRequestsRule2Rule4) {
  EXPECT_TRUE(std::holds_alternative<SslRequest>(Decode(kSslRequestCode, "").value()));
  EXPECT_TRUE(std::holds_alternative<GssEncRequest>(Decode(kGssEncRequestCode, "").value()));
}

TEST(DecodeStartup, RefusesBytesInsideAnEncryptionRequestRule2Rule4) {
  EXPECT_EQ(SqlStateOf(Decode(kSslRequestCode, "x").status()), "08P01");
  EXPECT_EQ(SqlStateOf(Decode(kGssEncRequestCode, "\0"s).status()), "08P01");
}

TEST(DecodeStartup, RefusesPacketOfAnotherLengthThanItSays) {
  const std::string packet = Packet(kProtocol30, "user\0a\0\0"s);
  for (size_t n = 0; n < packet.size(); ++n) {
    ExpectError(DecodeStartup(AsBytes(packet).first(n)).status(), "08P01",
                "invalid length of startup packet");
  }
  ExpectError(DecodeStartup(AsBytes(packet + '\0')).status(), "08P01",
              "invalid length of startup packet");
}

TEST(DecodeStartup, RefusesPacketBeyondTheLimitRule1) {
  const std::string name(kMaxStartupLength, 'x');
  EXPECT_EQ(SqlStateOf(DecodeMessage("user\0"s + name + "\0\0"s).status()), "08P01");
}

TEST(DecodeStartup, RefusesEveryTruncatedBodyRule7) {
  const std::string body =
      "user\0alice\0database\0market\0application_name\0psql\0options\0-c a=b\0\0"s;
  EXPECT_TRUE(DecodeMessage(body).ok());
  for (size_t n = 0; n < body.size(); ++n) {
    ExpectError(DecodeMessage(body.substr(0, n)).status(), "08P01",
                "invalid startup packet layout: expected terminator as last byte");
  }
}

TEST(DecodeStartup, RefusesTrailingGarbageRule7) {
  for (const std::string& garbage : {"\0"s, "x"s, "\0user\0root\0\0"s}) {
    ExpectError(DecodeMessage("user\0alice\0\0"s + garbage).status(), "08P01",
                "invalid startup packet layout: expected terminator as last byte");
  }
}

TEST(DecodeStartup, RefusesMissingOrEmptyUserRule7) {
  for (const std::string& body : {"\0"s, "database\0market\0\0"s, "user\0\0\0"s}) {
    ExpectError(DecodeMessage(body).status(), "28000",
                "no PostgreSQL user name specified in startup packet");
  }
}

TEST(DecodeStartup, TakesTheUserForAMissingOrEmptyDatabaseRule7) {
  EXPECT_EQ(DecodeMessage("user\0alice\0\0"s)->database, "alice");
  EXPECT_EQ(DecodeMessage("user\0alice\0database\0\0\0"s)->database, "alice");
  EXPECT_EQ(DecodeMessage("database\0market\0user\0alice\0\0"s)->database, "market");
}

TEST(DecodeStartup, LastOfDuplicatesWinsAtThePlaceOfTheFirstRule7) {
  const auto message = DecodeMessage(
      "user\0a\0DateStyle\0ISO\0TimeZone\0UTC\0user\0b\0datestyle\0German\0database\0x\0"
      "database\0y\0\0"s);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->user, "b");
  EXPECT_EQ(message->database, "y");
  EXPECT_EQ(message->settings, (Settings{{"DateStyle", "German"}, {"TimeZone", "UTC"}}));
}

TEST(DecodeStartup, KeepsSettingsApartFromNamesWithFieldsOfTheirOwn) {
  const auto message = DecodeMessage(
      "user\0a\0application_name\0\0replication\0on\0_pq_.x\0y\0options\0-c a=b\0"
      "extra_float_digits\0"
      "2\0\0"s);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->settings, (Settings{{"application_name", ""}, {"extra_float_digits", "2"}}));
  EXPECT_EQ(message->options, (Settings{{"a", "b"}}));
}

TEST(DecodeStartup, CutsNamesAt63BytesAsTheServerDoes) {
  const std::string name(64, 'n');
  const auto message = DecodeMessage("user\0"s + name + "\0database\0"s + name + "\0\0"s);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->user, name.substr(0, 63));
  EXPECT_EQ(message->database, name.substr(0, 63));
}

TEST(DecodeStartup, RefusesOtherMajorVersionsRule6) {
  ExpectError(Decode(2 << 16, "user\0a\0\0"s).status(), "0A000",
              "unsupported frontend protocol 2.0: server supports 3.0 to 3.0");
  ExpectError(Decode(4 << 16 | 7, "").status(), "0A000",
              "unsupported frontend protocol 4.7: server supports 3.0 to 3.0");
  EXPECT_EQ(SqlStateOf(Decode(kGssEncRequestCode + 1, "").status()), "0A000");
}

TEST(DecodeStartup, ReportsNewerMinorsAndProtocolOptionsRule6) {
  const auto message =
      DecodeMessage("user\0a\0_pq_.one\0"s + "1\0_pq_.two\0\0\0"s, kProtocol30 | 2);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->minor, 2);
  EXPECT_EQ(message->unsupported, (std::vector<std::string>{"_pq_.one", "_pq_.two"}));
  EXPECT_TRUE(message->settings.empty());
  EXPECT_EQ(DecodeMessage("user\0a\0\0"s)->minor, 0);
}

// Rule 9 says what such a connection is for.
TEST(DecodeStartup, KeepsWhatReplicationAsksFor) {
  for (const std::string wanted : {"true", "on", "yes", "1", "database", "TRUE", "t", "On"}) {
    const auto message = DecodeMessage("user\0a\0replication\0"s + wanted + "\0\0"s);
    ASSERT_TRUE(message.ok()) << wanted;
    EXPECT_EQ(message->replication, wanted);
  }
  for (const std::string unwanted : {"false", "off", "no", "0", "FALSE", "of"}) {
    const auto message = DecodeMessage("user\0a\0replication\0"s + unwanted + "\0\0"s);
    ASSERT_TRUE(message.ok()) << unwanted;
    EXPECT_EQ(message->replication, "");
  }
  for (const std::string invalid : {"", "o", "2", "maybe", "truex", "Database"}) {
    ExpectError(DecodeMessage("user\0a\0replication\0"s + invalid + "\0\0"s).status(), "22023",
                "invalid value for parameter \"replication\": \"" + invalid + "\"");
  }
}

TEST(DecodeStartup, ReadsCancelRequestsWithKeysOf4To256BytesRule11) {
  for (const size_t size : {4u, 32u, 256u}) {
    const std::string key(size, '\xa5');
    const auto packet = Decode(kCancelRequestCode, "\x01\x02\x03\xff"s + key);
    ASSERT_TRUE(packet.ok()) << size;
    const auto& cancel = std::get<CancelRequest>(*packet);
    EXPECT_EQ(cancel.process_id, 0x010203ffu);
    EXPECT_EQ(cancel.secret, key);
  }
}

TEST(DecodeStartup, RefusesCancelRequestsOfOtherLengthsRule11) {
  for (const size_t size : {0u, 3u, 4u, 7u, 261u}) {
    ExpectError(Decode(kCancelRequestCode, std::string(size, 'k')).status(), "08P01",
                "invalid length of cancel request packet");
  }
}

TEST(SplitOptions, KnowsTheThreeSpellingsRule8) {
  EXPECT_EQ(SplitOptions("-c a=1 -cb=2 --c-d=3").value(),
            (Settings{{"a", "1"}, {"b", "2"}, {"c_d", "3"}}));
  EXPECT_EQ(SplitOptions("-c work-mem=a-b").value(), (Settings{{"work_mem", "a-b"}}));
  EXPECT_EQ(SplitOptions("--search_path=").value(), (Settings{{"search_path", ""}}));
  EXPECT_EQ(SplitOptions("-c a=b=c").value(), (Settings{{"a", "b=c"}}));
}

TEST(SplitOptions, SplitsAtUnescapedWhitespaceRule8) {
  EXPECT_EQ(SplitOptions(" \t\n\v\f\r").value(), Settings{});
  EXPECT_EQ(SplitOptions("").value(), Settings{});
  EXPECT_EQ(SplitOptions("\t-c\n a=1\v\f-cb=2\r").value(), (Settings{{"a", "1"}, {"b", "2"}}));
}

TEST(SplitOptions, BackslashKeepsTheNextCharacterRule8) {
  EXPECT_EQ(SplitOptions(R"(-c a=x\ y\\z\q)").value(), (Settings{{"a", R"(x y\zq)"}}));
  EXPECT_EQ(SplitOptions("-c a=x\\").value(), (Settings{{"a", "x"}}));
  EXPECT_EQ(SplitOptions(R"(-c a=';\ DROP)").value(), (Settings{{"a", "'; DROP"}}));
}

TEST(SplitOptions, RefusesAnythingElseRule8) {
  for (const std::string_view options : {"-c", "-c a", "-ca", "--a", "--", "-", "a=b", "-d 5",
                                         "-c a=b stray", "-c =b", "--=b", "\\", "-c \\"}) {
    EXPECT_EQ(SqlStateOf(SplitOptions(options).status()), "22023") << options;
  }
  ExpectError(SplitOptions("-d").status(), "22023",
              "invalid command-line argument for server process: -d");
  ExpectError(SplitOptions("--a-b").status(), "22023", "--a-b requires a value");
}

TEST(DecodeStartup, FailsWithBadOptionsRule8) {
  EXPECT_EQ(SqlStateOf(DecodeMessage("user\0a\0options\0-x\0\0"s).status()), "22023");
}

}  // namespace
}  // namespace pgweir::wire
