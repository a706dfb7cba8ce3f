#include "proxy/cancel_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace pgweir::proxy {
namespace {

// Rules 11, 15
TEST(CancelKeys, FindTheSessionByTheWholeKeyOnly) {
  CancelKeys keys;
  const CancelKeys::Key key = keys.Issue({1, SessionId{7}});
  ASSERT_EQ(key.secret.size(), 4u);
  const auto owner = keys.Find(key.process_id, key.secret);
  ASSERT_TRUE(owner.has_value());
  EXPECT_EQ(owner->worker, 1);
  EXPECT_EQ(owner->session, SessionId{7});
  for (size_t i = 0; i < 4; ++i) {
    std::string wrong = key.secret;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x40);
    EXPECT_FALSE(keys.Find(key.process_id, wrong).has_value());
  }
  EXPECT_FALSE(keys.Find(key.process_id, key.secret + "x").has_value());
  EXPECT_FALSE(keys.Find(key.process_id, "").has_value());
  EXPECT_FALSE(keys.Find(key.process_id ^ 1, key.secret).has_value());
  keys.Withdraw(key.process_id);
  EXPECT_FALSE(keys.Find(key.process_id, key.secret).has_value());
}

TEST(CancelKeys, AreDistinctAndPositive) {
  CancelKeys keys;
  std::set<uint32_t> ids;
  std::set<std::string> secrets;
  for (uint64_t i = 0; i < 2000; ++i) {
    const CancelKeys::Key key = keys.Issue({0, SessionId{i}});
    EXPECT_GT(key.process_id, 0u);
    EXPECT_LT(key.process_id, 0x80000000u);
    ids.insert(key.process_id);
    secrets.insert(key.secret);
  }
  EXPECT_EQ(ids.size(), 2000u);
  EXPECT_GT(secrets.size(), 1990u);
}

}  // namespace
}  // namespace pgweir::proxy
