#include "observe/parameter_text.h"

#include <gtest/gtest.h>

namespace pgweir::observe {
namespace {

using namespace std::string_literals;

constexpr size_t kAll = 1 << 20;

std::string Decode(uint32_t type, const std::string& bytes, size_t max = kAll) {
  std::string scratch;
  return std::string(ParameterText({false, true, type, bytes}, max, scratch));
}

// The bytes are what the types' send functions of PostgreSQL 15 make of the values.
TEST(ParameterText, DecodesTheBinaryFormatOfCommonTypes) {
  const std::tuple<uint32_t, std::string, std::string> cases[] = {
      {16, "\1"s, "t"},
      {16, "\0"s, "f"},
      {21, "\xff\xfe"s, "-2"},
      {23, "\x7f\xff\xff\xff"s, "2147483647"},
      {20, "\x80\0\0\0\0\0\0\0"s, "-9223372036854775808"},
      {26, "\xff\xff\xff\xff"s, "4294967295"},
      {700, "\x3f\xc0\0\0"s, "1.5"},
      {701, "\x3f\xb9\x99\x99\x99\x99\x99\x9a"s, "0.1"},
      {701, "\xff\xf0\0\0\0\0\0\0"s, "-Infinity"},
      {701, "\x7f\xf8\0\0\0\0\0\0"s, "NaN"},
      {25, "it's"s, "it's"},
      {1043, ""s, ""},
      {114, "{\"a\":1}"s, "{\"a\":1}"},
      {3802, "\1{\"a\": 1}"s, "{\"a\": 1}"},
      {17, "\0\xff"s, "\\x00ff"},
      {2950, "\x55\x0e\x84\0\xe2\x9b\x41\xd4\xa7\x16\x44\x66\x55\x44\0\0"s,
       "550e8400-e29b-41d4-a716-446655440000"},
      {1082, "\0\0\0\0"s, "2000-01-01"},
      {1082, "\xff\xff\xff\xff"s, "1999-12-31"},
      {1082, "\xff\xf4\xdb\xf8"s, "0001-12-31 BC"},
      {1082, "\x7f\xff\xff\xff"s, "infinity"},
      {1114, "\0\x02\x9b\x53\xc0\xab\xd9\xa0"s, "2023-04-02 06:59:30.5"},
      {1114, "\xff\xff\xff\xff\xff\xff\xff\xff"s, "1999-12-31 23:59:59.999999"},
      {1184, "\0\0\0\0\0\0\0\0"s, "2000-01-01 00:00:00+00"},
      {1184, "\x80\0\0\0\0\0\0\0"s, "-infinity"},
  };
  for (const auto& [type, bytes, text] : cases) EXPECT_EQ(Decode(type, bytes), text) << type;
}

TEST(ParameterText, DecodesNumbersOfAnySize) {
  const std::pair<std::string, std::string> cases[] = {
      {"\0\0\0\0\0\0\0\0"s, "0"},
      {"\0\0\0\0\0\0\0\2"s, "0.00"},
      {"\0\1\0\0\0\0\0\0\0\5"s, "5"},
      {"\0\1\0\0\x40\0\0\0\0\5"s, "-5"},
      {"\0\2\0\1\0\0\0\0\0\1\x09\x29"s, "12345"},
      {"\0\1\0\1\0\0\0\0\0\1"s, "10000"},
      {"\0\2\0\0\0\0\0\2\0\x01\x13\x88"s, "1.50"},
      {"\0\1\xff\xff\0\0\0\4\0\1"s, "0.0001"},
      {"\0\1\xff\xfe\0\0\0\6\0\x64"s, "0.000001"},
      {"\0\0\0\0\xc0\0\0\0"s, "NaN"},
      {"\0\0\0\0\xf0\0\0\0"s, "-Infinity"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(Decode(1700, bytes), text) << text;
}

TEST(ParameterText, ShowsWhatItDoesNotUnderstandInHex) {
  EXPECT_EQ(Decode(0, "\0\1"s), "\\x0001");
  EXPECT_EQ(Decode(600, "\x7f"s), "\\x7f");
  EXPECT_EQ(Decode(23, "\1"s), "\\x01");
  EXPECT_EQ(Decode(1700, "\0\5\0\0\0\0\0\0"s), "\\x0005000000000000");
  EXPECT_EQ(Decode(1114, ""s), "\\x");
  EXPECT_EQ(Decode(1082, "\x7f\xff\xff\xfe"s), "\\x7ffffffe");
  EXPECT_EQ(Decode(3802, "\2{}"s), "\\x027b7d");
}

TEST(ParameterText, DecodesNoMoreThanIsShown) {
  EXPECT_LT(Decode(17, std::string(1 << 20, 'x'), 10).size(), 20u);
  // 10000 to the power of 32767
  EXPECT_LT(Decode(1700, "\0\1\x7f\xff\0\0\0\0\0\1"s, 10).size(), 20u);
  EXPECT_LT(Decode(1700, "\0\0\0\0\0\0\x3f\xff"s, 10).size(), 20u);
}

TEST(ParameterText, LeavesTextAsItIs) {
  std::string scratch;
  EXPECT_EQ(ParameterText({false, false, 23, "42"}, kAll, scratch), "42");
}

}  // namespace
}  // namespace pgweir::observe
