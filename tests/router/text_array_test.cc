#include "router/text_array.h"

#include <gtest/gtest.h>

#include "router/text_types.h"

namespace pgweir::router {
namespace {

TEST(TextArrays, AreReadAsTheServerReadsThem) {
  EXPECT_EQ(ParseTextArray("{}"), TextArray());
  EXPECT_EQ(ParseTextArray(" { a , \"b c\",NULL,\"NULL\",\\NULL } "),
            (TextArray{"a", "b c", std::nullopt, "NULL", "NULL"}));
  EXPECT_EQ(ParseTextArray("{null,a b}"), (TextArray{std::nullopt, "a b"}));
  EXPECT_EQ(ParseTextArray("{\"a\\\"\\\\b\",c\\,d}"), (TextArray{"a\"\\b", "c,d"}));
  EXPECT_EQ(ParseTextArray("{{a,b},{c,d}}"), (TextArray{"a", "b", "c", "d"}));
}

TEST(TextArrays, ThatAreMalformedAreNone) {
  for (const char* text : {"", "a", "{", "{a", "{a,}", "{,a}", "{a}}", "{a\"b\"}", "{\"a\"b}",
                           "{\"a", "{a\\", "[1:1]={a}", "{{{{{{{a}}}}}}}"}) {
    EXPECT_EQ(ParseTextArray(text), std::nullopt) << text;
  }
}

TEST(TextArrays, AreTheSameAgainInBothForms) {
  const TextArray array = {"BTC", std::nullopt, "", "a \"b\" \\ {c,d}", "NULL"};
  EXPECT_EQ(ParseTextArray(FormatTextArray(array)), array);
  EXPECT_EQ(DecodeTextArray(EncodeTextArray(array, kVarcharOid)), array);
  EXPECT_EQ(DecodeTextArray(EncodeTextArray({}, kTextOid)), TextArray());
}

TEST(TextArrays, HostileBytesAreBounded) {
  const std::string good = EncodeTextArray({"BTC", "ETH"}, kTextOid);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(DecodeTextArray(good.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(DecodeTextArray(good + "x"), std::nullopt);
  EXPECT_EQ(DecodeTextArray(EncodeTextArray({"a"}, 23)), std::nullopt);
  std::string many = good;
  many.replace(12, 4, "\x7f\xff\xff\xff");
  EXPECT_EQ(DecodeTextArray(many), std::nullopt);
  std::string dimensions = good;
  dimensions.replace(0, 4, std::string("\0\0\0\7", 4));
  EXPECT_EQ(DecodeTextArray(dimensions), std::nullopt);
  std::string negative = good;
  negative.replace(20, 4, "\xff\xff\xff\xfe");
  EXPECT_EQ(DecodeTextArray(negative), std::nullopt);
}

}  // namespace
}  // namespace pgweir::router
