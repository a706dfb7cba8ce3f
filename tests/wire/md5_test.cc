#include "wire/md5.h"

#include "gtest/gtest.h"

namespace pgweir::wire {
namespace {

// What PostgreSQL 15 stores for: CREATE ROLE h PASSWORD 'secret'.
constexpr std::string_view kSecret = "md5a1c2cced0c3bcb0923524fd5300c40be";

TEST(Md5, SecretIsWhatPostgresqlStores) { EXPECT_EQ(Md5Secret("secret", "h"), kSecret); }

TEST(Md5, SecretDependsOnUserAndPassword) {
  EXPECT_NE(Md5Secret("secret", "i"), kSecret);
  EXPECT_NE(Md5Secret("Secret", "h"), kSecret);
}

// The expected values were computed with coreutils' md5sum.
TEST(Md5, ResponseHashesTheHexadecimalPartWithTheSalt) {
  EXPECT_EQ(Md5Response(kSecret, std::string_view("\x00\xff\x10\x41", 4)),
            "md5ee23013edee95971daa3ba2f4fe7d178");
  EXPECT_EQ(Md5Response(kSecret, "salt"), "md5b121f97db3e9c48509d3151c48448f13");
}

}  // namespace
}  // namespace pgweir::wire
