#include "wire/result_messages.h"

#include <gtest/gtest.h>

#include <vector>

namespace pgweir::wire {
namespace {

using Values = std::vector<std::optional<std::string>>;

std::string Bytes16(std::initializer_list<int> words) {
  std::string out;
  for (const int word : words) {
    out += static_cast<char>(word >> 8);
    out += static_cast<char>(word);
  }
  return out;
}

// The value of a row of one column.
std::string Sent(ColumnType type, const std::string& value, Format format) {
  const std::vector<Column> columns = {{"c", type}};
  const std::vector<Format> formats = {format};
  std::string out;
  AppendDataRow(out, columns, Values{value}, formats);
  return out.substr(11);  // type, length, count, the value's length
}

TEST(ResultMessages, SendTextAsItIs) {
  EXPECT_EQ(Sent(ColumnType::kText, "abc", Format::kText), "abc");
  EXPECT_EQ(Sent(ColumnType::kText, "abc", Format::kBinary), "abc");
  EXPECT_EQ(Sent(ColumnType::kNumeric, "123", Format::kText), "123");
}

TEST(ResultMessages, SendIntegersInNetworkByteOrder) {
  EXPECT_EQ(Sent(ColumnType::kInt4, "258", Format::kBinary), std::string("\0\0\1\2", 4));
  EXPECT_EQ(Sent(ColumnType::kInt4, "-1", Format::kBinary), "\xff\xff\xff\xff");
  EXPECT_EQ(Sent(ColumnType::kInt8, "258", Format::kBinary), std::string("\0\0\0\0\0\0\1\2", 8));
}

// As numeric_send of PostgreSQL 15 does: count of digits, weight, sign, scale, digits.
TEST(ResultMessages, SendNumericsInBase10000) {
  const auto numeric = [](const char* text) {
    return Sent(ColumnType::kNumeric, text, Format::kBinary);
  };
  EXPECT_EQ(numeric("0"), Bytes16({0, 0, 0, 0}));
  EXPECT_EQ(numeric("7"), Bytes16({1, 0, 0, 0, 7}));
  EXPECT_EQ(numeric("123456789"), Bytes16({3, 2, 0, 0, 1, 2345, 6789}));
  EXPECT_EQ(numeric("100000000"), Bytes16({3, 2, 0, 0, 1, 0, 0}));
  EXPECT_EQ(numeric("-12"), Bytes16({1, 0, 0x4000, 0, 12}));
  EXPECT_EQ(numeric("1.500"), Bytes16({2, 0, 0, 3, 1, 5000}));
  EXPECT_EQ(numeric("0.012"), Bytes16({1, 0xffff, 0, 3, 120}));
  EXPECT_EQ(numeric("0.000"), Bytes16({0, 0, 0, 3}));
  EXPECT_EQ(numeric("-12345.67895"), Bytes16({4, 1, 0x4000, 5, 1, 2345, 6789, 5000}));
  EXPECT_EQ(numeric("18446744073709551615"), Bytes16({5, 4, 0, 0, 1844, 6744, 737, 955, 1615}));
}

TEST(ResultMessages, SendNullWithoutBytes) {
  const std::vector<Column> columns = {{"a", ColumnType::kText}, {"b", ColumnType::kInt4}};
  std::string out;
  AppendDataRow(out, columns, Values{std::nullopt, "1"}, {});
  EXPECT_EQ(out, std::string("D\0\0\0\x0f\0\2\xff\xff\xff\xff\0\0\0\1"
                             "1",
                             16));
}

TEST(ResultMessages, OneFormatStandsForAllColumns) {
  const std::vector<Format> none, one = {Format::kBinary}, two = {Format::kText, Format::kBinary};
  EXPECT_EQ(FormatOf(none, 3), Format::kText);
  EXPECT_EQ(FormatOf(one, 3), Format::kBinary);
  EXPECT_EQ(FormatOf(two, 0), Format::kText);
  EXPECT_EQ(FormatOf(two, 1), Format::kBinary);
}

}  // namespace
}  // namespace pgweir::wire
