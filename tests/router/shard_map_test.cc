#include "router/shard_map.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

const std::vector<std::string> kNodes = {"a", "b", "c", "d"};

config::ShardMap Map(std::vector<config::SymbolPattern> patterns) {
  config::ShardMap map;
  patterns.push_back({"", true, "a"});
  map.patterns = std::move(patterns);
  map.default_node = "a";
  return map;
}

TEST(CompiledShardMap, TheLongestPatternWinsAndAWholeSymbolBeatsAnyPrefix) {
  const auto map =
      ShardMap::Compile(Map({{"B", true, "b"}, {"BTC", true, "c"}, {"BTC", false, "d"}}), kNodes);
  EXPECT_EQ(map->NodeFor(""), 0);
  EXPECT_EQ(map->NodeFor("A"), 0);
  EXPECT_EQ(map->NodeFor("b"), 0);
  EXPECT_EQ(map->NodeFor("B"), 1);
  EXPECT_EQ(map->NodeFor("BT"), 1);
  EXPECT_EQ(map->NodeFor("BTC"), 3);
  EXPECT_EQ(map->NodeFor("BTCUSDT"), 2);
  EXPECT_EQ(map->NodeFor("BTD"), 1);
  EXPECT_EQ(map->default_node(), 0);
}

TEST(CompiledShardMap, KnowsTheFirstPatternOfANode) {
  const ShardMapRef map = ShardMap::Compile(test::SampleMap(), test::kShards);
  EXPECT_EQ(map->FirstPatternOf(*map->Find("btc")), 0u);
  EXPECT_EQ(map->FirstPatternOf(*map->Find("xrp")), 2u);
  EXPECT_EQ(map->FirstPatternOf(*map->Find("rest")), 4u);
  EXPECT_EQ(map->default_pattern(), 4u);
  const std::vector<std::string> more = {"btc", "eth", "xrp", "rest", "spare"};
  EXPECT_EQ(ShardMap::Compile(test::SampleMap(), more)->FirstPatternOf(4), kNoPattern);
}

TEST(CompiledShardMap, KnowsWhatATableIs) {
  config::ShardMap source = Map({});
  source.sharded = {{"", "trades", "symbol"}, {"app", "candles", "sym"}};
  source.replicated = {{"", "instruments", ""}};
  const auto map = ShardMap::Compile(source, kNodes);
  EXPECT_EQ(map->PlaceOf({"public", "trades"}), (TablePlace{Placement::kSharded, "symbol"}));
  EXPECT_EQ(map->PlaceOf({"app", "candles"}), (TablePlace{Placement::kSharded, "sym"}));
  EXPECT_EQ(map->PlaceOf({"public", "candles"}).placement, Placement::kUnlisted);
  EXPECT_EQ(map->PlaceOf({"public", "instruments"}).placement, Placement::kReplicated);
  EXPECT_TRUE(map->Lists("candles"));
  EXPECT_FALSE(map->Lists("orders"));
}

TEST(SymbolSet, IsMadeOfRangesOfBytes) {
  SymbolSet set = SymbolSet::WithPrefix("BTC");
  EXPECT_TRUE(set.Has("BTC"));
  EXPECT_TRUE(set.Has("BTC\xff\xff"));
  EXPECT_FALSE(set.Has("BTD"));
  set.Complement();
  EXPECT_FALSE(set.Has("BTC"));
  EXPECT_TRUE(set.Has("BTD"));
  EXPECT_TRUE(set.Has(""));
  set.Unite(SymbolSet::WithPrefix("BTC"));
  EXPECT_EQ(set, SymbolSet::All());
  set.Complement();
  EXPECT_EQ(set, SymbolSet());
  EXPECT_EQ(SymbolSet::WithPrefix("\xff\xff").ranges().front().to, std::nullopt);
  EXPECT_EQ(SymbolSet::Between(SymbolSet::Bound{"b"}, SymbolSet::Bound{"a"}), SymbolSet());
}

// Against the rules as they are written, tried on every symbol of a small alphabet.
class RandomMaps : public testing::Test {
 protected:
  RandomMaps() { AddSymbols("", 4); }

  void AddSymbols(const std::string& prefix, int length) {
    symbols_.push_back(prefix);
    if (length == 0) return;
    for (const char c : {'a', 'b', '\xff'}) AddSymbols(prefix + c, length - 1);
  }
  const std::string& Any() { return symbols_[random_() % symbols_.size()]; }

  config::ShardMap AnyMap() {
    config::ShardMap map = Map({});
    const size_t patterns = random_() % 8;
    for (size_t i = 0; i < patterns; ++i) {
      config::SymbolPattern pattern{Any(), random_() % 2 == 0, kNodes[random_() % kNodes.size()]};
      bool repeats = false;
      for (const auto& other : map.patterns) {
        repeats = repeats || (other.text == pattern.text && other.prefix == pattern.prefix);
      }
      if (!repeats) map.patterns.push_back(pattern);
    }
    return map;
  }

  static std::string Expected(const config::ShardMap& map, const std::string& symbol) {
    const config::SymbolPattern* best = nullptr;
    for (const config::SymbolPattern& pattern : map.patterns) {
      if (!pattern.prefix && pattern.text == symbol) return pattern.node;
      if (!pattern.prefix || !symbol.starts_with(pattern.text)) continue;
      if (best == nullptr || pattern.text.size() > best->text.size()) best = &pattern;
    }
    return best->node;
  }

  std::vector<std::string> symbols_;
  std::mt19937 random_{7};
};

TEST_F(RandomMaps, PutEverySymbolWhereTheRulesSay) {
  for (int round = 0; round < 300; ++round) {
    const config::ShardMap source = AnyMap();
    const auto map = ShardMap::Compile(source, kNodes);
    for (const std::string& symbol : symbols_) {
      ASSERT_EQ(map->NameOf(map->NodeFor(symbol)), Expected(source, symbol)) << symbol;
    }
  }
}

TEST_F(RandomMaps, NameEveryNodeOfAPrefixAndARange) {
  for (int round = 0; round < 1000; ++round) {
    const auto map = ShardMap::Compile(AnyMap(), kNodes);
    const std::string prefix = Any();
    const SymbolSet::Bound low{prefix, random_() % 2 == 0};
    const std::string end = Any();
    const SymbolSet::Bound high{end, random_() % 2 == 0};
    NodeSet of_prefix;
    NodeSet of_range;
    for (const std::string& symbol : symbols_) {
      if (symbol.starts_with(prefix)) of_prefix.Add(map->NodeFor(symbol));
      const bool above = low.inclusive ? symbol >= low.symbol : symbol > low.symbol;
      const bool below = high.inclusive ? symbol <= high.symbol : symbol < high.symbol;
      if (above && below) of_range.Add(map->NodeFor(symbol));
    }
    EXPECT_TRUE(of_prefix.Within(map->NodesForPrefix(prefix)));
    EXPECT_TRUE(of_range.Within(map->NodesForRange(low, high)));
    // No more than those either, as far as these symbols are all there are.
    if (prefix.size() < 3) EXPECT_EQ(of_prefix, map->NodesForPrefix(prefix)) << prefix;
  }
}

TEST_F(RandomMaps, SetsAreWhatTheirMembersSay) {
  for (int round = 0; round < 2000; ++round) {
    const auto any_set = [&] {
      switch (random_() % 3) {
        case 0:
          return SymbolSet::Only(Any());
        case 1:
          return SymbolSet::WithPrefix(Any());
        default:
          return SymbolSet::Between(SymbolSet::Bound{Any()}, SymbolSet::Bound{Any(), false});
      }
    };
    SymbolSet a = any_set();
    a.Unite(any_set());
    SymbolSet b = any_set();
    b.Unite(any_set());
    SymbolSet both = a;
    both.Intersect(b);
    SymbolSet either = a;
    either.Unite(b);
    SymbolSet neither = either;
    neither.Complement();
    for (const std::string& symbol : symbols_) {
      ASSERT_EQ(both.Has(symbol), a.Has(symbol) && b.Has(symbol));
      ASSERT_EQ(either.Has(symbol), a.Has(symbol) || b.Has(symbol));
      ASSERT_NE(neither.Has(symbol), either.Has(symbol));
    }
  }
}

}  // namespace
}  // namespace pgweir::router
