#include "base/utf8.h"

#include <gtest/gtest.h>

namespace pgweir {
namespace {

TEST(ToUtf8, KeepsCharactersAndReplacesOtherBytes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"a\u00e4\u20ac\U0001F600z", "a\u00e4\u20ac\U0001F600z"},
      {"bad\xff\xfe"
       "0",
       "bad??0"},
      {"\xc3", "?"},
      {"\xc3(", "?("},
      {"\xe2\x82", "??"},
      {"\xc0\x80", "??"},            // overlong
      {"\xe0\x80\xaf", "???"},       // overlong
      {"\xed\xa0\x80", "???"},       // a surrogate
      {"\xf4\x90\x80\x80", "????"},  // beyond U+10FFFF
      {"\xf0\x9f\x98\x80\x80", "\xf0\x9f\x98\x80?"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(ToUtf8(text), expected);
}

}  // namespace
}  // namespace pgweir
