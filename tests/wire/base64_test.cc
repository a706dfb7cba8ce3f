#include "wire/base64.h"

#include "gtest/gtest.h"

namespace pgweir::wire {
namespace {

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kVectors[] = {{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}};

TEST(Base64, AgreesWithTheVectorsOfTheRfc) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_EQ(Base64Decode(text), bytes);
  }
}

TEST(Base64, KeepsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
}

TEST(Base64, RefusesEverythingButTheOneTextOfAValue) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Zg===", "=",
                                      "====", "Z===", "Zh==", "Zm9=", "Zg==Zg==", " Zg==", "Zg==\n",
                                      "Zm 9", "Zm-_", "Z=g=", "Zm9v="}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pgweir::wire
