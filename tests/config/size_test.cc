#include "config/size.h"

#include "gtest/gtest.h"

namespace pgweir::config {
namespace {

TEST(Size, IsAWholeNumberAndAUnit) {
  EXPECT_EQ(ParseSize("0B"), 0u);
  EXPECT_EQ(ParseSize("512B"), 512u);
  EXPECT_EQ(ParseSize("64KiB"), 65536u);
  EXPECT_EQ(ParseSize("256MiB"), 268435456u);
  EXPECT_EQ(ParseSize("3GiB"), uint64_t{3} << 30);
}

TEST(Size, IsNothingElse) {
  for (const char* text : {"", "B", "1", "-1B", "+1B", "1.5MiB", "1 MiB", " 1B", "1B ", "1MB", "1M",
                           "1mib", "1k", "0x1B"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

TEST(Size, EndsAtATebibyteInEveryUnit) {
  EXPECT_EQ(ParseSize("1TiB"), kMaxSize);
  EXPECT_EQ(ParseSize("1024GiB"), kMaxSize);
  for (const char* text : {"2TiB", "1025GiB", "1099511627777B", "18446744073709551615MiB",
                           "99999999999999999999999B"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pgweir::config
