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
  keys.Withdraw(key);
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

// More clients than a process id has room for beside a peer_id.
TEST(CancelKeys, OfAPeerAreFoundThoughManyHaveTheSameProcessId) {
  CancelKeys keys(12345);
  std::vector<CancelKeys::Key> issued;
  std::set<std::pair<uint32_t, std::string>> distinct;
  for (uint64_t i = 0; i < 40'000; ++i) {
    issued.push_back(keys.Issue({0, SessionId{i}}));
    distinct.emplace(issued.back().process_id, issued.back().secret);
  }
  EXPECT_EQ(distinct.size(), issued.size());
  for (uint64_t i = 0; i < issued.size(); ++i) {
    const auto owner = keys.Find(issued[i].process_id, issued[i].secret);
    ASSERT_TRUE(owner.has_value());
    EXPECT_EQ(owner->session, SessionId{i});
    EXPECT_FALSE(keys.FindForeign(issued[i].process_id, issued[i].secret).has_value());
    keys.Withdraw(issued[i]);
    EXPECT_FALSE(keys.Find(issued[i].process_id, issued[i].secret).has_value());
  }
}

// PgBouncer's form: the id in the second and third byte, low byte first.
TEST(CancelKeys, NameTheirPeer) {
  CancelKeys keys(0x1234);
  const CancelKeys::Key key = keys.Issue({0, SessionId{1}});
  EXPECT_EQ((key.process_id >> 8) & 0xffff, 0x3412u);
  EXPECT_EQ(key.secret.back() & 3, 3);
  EXPECT_LT(key.process_id, 0x80000000u);
}

TEST(CancelKeys, AreFoundHoweverOftenTheyWerePassedOn) {
  CancelKeys owner(1), other(2);
  CancelKeys::Key key = owner.Issue({0, SessionId{7}});
  for (int hops = 3; hops > 0; --hops) {
    EXPECT_FALSE(other.Find(key.process_id, key.secret).has_value());
    const auto foreign = other.FindForeign(key.process_id, key.secret);
    ASSERT_TRUE(foreign.has_value()) << hops;
    EXPECT_EQ(foreign->peer_id, 1);
    key = foreign->key;
    EXPECT_TRUE(owner.Find(key.process_id, key.secret).has_value());
  }
  EXPECT_FALSE(other.FindForeign(key.process_id, key.secret).has_value()) << "a loop would not end";
}

TEST(CancelKeys, OfOthersAreForNobodyWithoutAPeerId) {
  CancelKeys owner(1), other;
  const CancelKeys::Key key = owner.Issue({0, SessionId{7}});
  EXPECT_FALSE(other.FindForeign(key.process_id, key.secret).has_value());
  CancelKeys peer(2);
  EXPECT_FALSE(peer.FindForeign(key.process_id, "").has_value());
  EXPECT_FALSE(peer.FindForeign(key.process_id, key.secret + "x").has_value());
}

}  // namespace
}  // namespace pgweir::proxy
