#include "query-cache/key.h"

#include <gmock/gmock.h>

#include <functional>
#include <set>
#include <vector>

namespace pgweir::cache {
namespace {

using std::string_literals::operator""s;

const std::vector<std::string_view> kNodes = {"db_shard_1"};
const std::vector<std::string_view> kOtherNode = {"db_shard_2"};
const std::vector<std::string_view> kTwoNodes = {"db_shard_1", "db_shard_2"};

// Formats 0, one value "BTC", results as text.
const std::string kBind = "\0\0\0\1\0\0\0\3BTC\0\0"s;

KeyParts Parts() {
  KeyParts parts;
  parts.nodes = kNodes;
  parts.database = "market";
  parts.login_role = "app";
  parts.effective_role = "reader";
  parts.search_path = "public";
  parts.settings = "TimeZone=UTC";
  parts.protocol = Protocol::kExtended;
  parts.text = "SELECT * FROM candles WHERE symbol = $1";
  parts.parameter_types = std::string_view("\0\1\0\0\0\x19", 6);
  parts.bind = kBind;
  return parts;
}

std::string BytesOf(const KeyParts& parts) { return std::string(KeyMaker().Make(parts).bytes); }

TEST(Key, IsTheSameForTheSameParts) {
  KeyMaker one;
  KeyMaker other;
  const Key a = one.Make(Parts());
  const Key b = other.Make(Parts());
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.hash, b.hash);
}

// Situations 1, 2, 3, 5, 10, 11, 15, 46 and 47 of the ways in which a cached answer can be wrong.
TEST(Key, ChangesWithEachPart) {
  const std::string null_bind = "\0\0\0\1\xff\xff\xff\xff\0\0"s;
  const std::string empty_bind = "\0\0\0\1\0\0\0\0\0\0"s;
  const std::string binary_result = "\0\0\0\1\0\0\0\3BTC\0\1\0\1"s;
  const std::string binary_parameter = "\0\1\0\1\0\1\0\0\0\3BTC\0\0"s;
  const std::vector<std::function<void(KeyParts&)>> changes = {
      [](KeyParts&) {},
      [](KeyParts& p) { p.nodes = kOtherNode; },
      [](KeyParts& p) { p.nodes = kTwoNodes; },
      [](KeyParts& p) { p.nodes = {}; },
      [](KeyParts& p) { p.database = "market2"; },
      [](KeyParts& p) { p.login_role = "other"; },
      [](KeyParts& p) { p.effective_role = "app"; },
      [](KeyParts& p) { p.search_path = "audit, public"; },
      [](KeyParts& p) { p.settings = "TimeZone=Asia/Tokyo"; },
      [](KeyParts& p) { p.protocol = Protocol::kSimple; },
      [](KeyParts& p) { p.text = "SELECT * FROM trades WHERE symbol = $1"; },
      [](KeyParts& p) { p.parameter_types = std::string_view("\0\1\0\0\4\x13", 6); },
      [](KeyParts& p) { p.parameter_types = std::string_view("\0\0", 2); },
      [&](KeyParts& p) { p.bind = null_bind; },
      [&](KeyParts& p) { p.bind = empty_bind; },
      [&](KeyParts& p) { p.bind = binary_result; },
      [&](KeyParts& p) { p.bind = binary_parameter; },
  };
  std::set<std::string> keys;
  std::set<std::pair<uint64_t, uint64_t>> hashes;
  for (const auto& change : changes) {
    KeyParts parts = Parts();
    change(parts);
    keys.insert(BytesOf(parts));
    const Hash128 hash = KeyMaker().Make(parts).hash;
    hashes.emplace(hash.high, hash.low);
  }
  EXPECT_EQ(keys.size(), changes.size());
  EXPECT_EQ(hashes.size(), changes.size());
}

// "x=1" on "0db" and "x=10" on "db" are the same bytes when nothing stands between them.
TEST(Key, KeepsItsPartsApart) {
  std::set<std::string> keys;
  const std::string all = "abcd";
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    KeyParts parts;
    parts.login_role = std::string_view(all).substr(0, cut);
    parts.effective_role = std::string_view(all).substr(cut);
    keys.insert(BytesOf(parts));
  }
  EXPECT_EQ(keys.size(), all.size() + 1);
}

TEST(Key, TellsListsOfNodesFromOneNameOfTheSameBytes) {
  const std::vector<std::string_view> two = {"ab", "c"};
  const std::vector<std::string_view> other = {"a", "bc"};
  KeyParts parts;
  parts.nodes = two;
  const std::string first = BytesOf(parts);
  parts.nodes = other;
  EXPECT_NE(first, BytesOf(parts));
}

// The vectors published with SipHash: the key 00 01 … 0f, the input 00 01 … of each length.
TEST(KeyHash, IsSipHashOf128Bits) {
  HashSecret secret;
  for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<uint8_t>(i);
  KeyMaker maker(secret);
  const Hash128 nothing = maker.Hash("");
  EXPECT_EQ(nothing.high, 0xe6a825ba047f81a3);
  EXPECT_EQ(nothing.low, 0x930255c71472f66d);
  const Hash128 one = maker.Hash("\0"s);
  EXPECT_EQ(one.high, 0x44af996bd8c187da);
  EXPECT_EQ(one.low, 0x45fc229b11597634);
}

TEST(KeyHash, DependsOnTheSecret) {
  HashSecret secret = ProcessHashSecret();
  const Hash128 before = KeyMaker(secret).Hash("text");
  secret[15] ^= 1;
  EXPECT_NE(before, KeyMaker(secret).Hash("text"));
}

}  // namespace
}  // namespace pgweir::cache
