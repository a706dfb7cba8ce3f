#include "observe/heavy_hitters.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <array>
#include <map>
#include <random>

#include "observe/hot_symbols.h"

namespace pgweir::observe {
namespace {

using Truth = std::map<std::string, uint64_t>;

// Names of which few are heavy, as symbols are.
std::string DrawName(std::mt19937_64& random) {
  const double u = std::uniform_real_distribution<double>(0, 1)(random);
  return "S" + std::to_string(static_cast<int>(1 / (u + 1e-4)));
}

// Misra and Gries's guarantees, and those that follow for the names without a counter.
void ExpectGuaranteed(const HeavyHitterList& list, const Truth& truth, size_t capacity,
                      uint64_t streams = 1) {
  uint64_t total = 0;
  for (const auto& [name, weight] : truth) total += weight;
  EXPECT_EQ(list.total, total);
  EXPECT_LE(list.items.size(), capacity);
  Truth found;
  for (const HeavyHitter& item : list.items) {
    found[item.name] = item.weight;
    const auto known = truth.find(item.name);
    const uint64_t true_weight = known == truth.end() ? 0 : known->second;
    EXPECT_LE(true_weight, item.weight) << item.name;
    EXPECT_GE(true_weight, item.weight - item.error) << item.name;
  }
  for (const auto& [name, weight] : truth) {
    if (found.contains(name)) continue;
    EXPECT_LE(weight, list.missing) << name;
    EXPECT_LE(weight * capacity, 2 * HeavyHitters::kLoads * total * streams) << name;
  }
}

TEST(HeavyHitters, KeepTheirGuaranteesByEachLoadWhateverComes) {
  for (const size_t counters : {1u, 2u, 5u, 6u, 10u, 100u, 600u}) {
    std::mt19937_64 random(counters);
    HeavyHitters sketch(counters);
    std::array<Truth, HeavyHitters::kLoads> truths;
    for (int i = 0; i < 50'000; ++i) {
      const std::string name = i % 3 == 0 ? "R" + std::to_string(i) : DrawName(random);
      // By each load others are heavy.
      HeavyHitters::Weights weights = {1, random() % 100, name.back() == '7' ? random() % 9999 : 0};
      sketch.Add(name, weights);
      for (size_t load = 0; load < HeavyHitters::kLoads; ++load) {
        if (weights[load] != 0) truths[load][name] += weights[load];
      }
    }
    for (size_t load = 0; load < HeavyHitters::kLoads; ++load) {
      SCOPED_TRACE(fmt::format("{} counters, load {}", counters, load));
      ExpectGuaranteed(sketch.List(load), truths[load], counters);
    }
  }
}

TEST(HeavyHitters, AreExactWhileThereIsRoom) {
  HeavyHitters sketch(3);
  sketch.Add("a", {5, 1, 0});
  sketch.Add("b", {7, 0, 0});
  sketch.Add("a", {4, 1, 0});
  const HeavyHitterList list = sketch.List(0);
  EXPECT_THAT(list.items, testing::ElementsAre(HeavyHitter{"a", 9, 0}, HeavyHitter{"b", 7, 0}));
  EXPECT_EQ(list.missing, 0u);
  EXPECT_THAT(sketch.List(1).items, testing::ElementsAre(HeavyHitter{"a", 2, 0}));
  EXPECT_THAT(sketch.List(2).items, testing::IsEmpty());
}

TEST(HeavyHitters, MergeToWhatHoldsForBothStreams) {
  constexpr size_t kCounters = 60;
  std::mt19937_64 random(3);
  Truth truth;
  HeavyHitterList merged;
  for (int stream = 0; stream < 4; ++stream) {
    HeavyHitters sketch(kCounters);
    for (int i = 0; i < 20'000; ++i) {
      const std::string name = DrawName(random);
      sketch.Add(name, {1, 0, 0});
      ++truth[name];
    }
    merged = Merge(merged, sketch.List(0), kCounters);
  }
  ExpectGuaranteed(merged, truth, kCounters, 2);
  EXPECT_EQ(merged.items[0].name, "S1");
}

TEST(HeavyHitters, MergeInAnyOrderToTheSameWhileThereIsRoom) {
  HeavyHitters a(10), b(10), c(10);
  a.Add("x", {1, 0, 0});
  b.Add("x", {2, 0, 0});
  b.Add("y", {5, 0, 0});
  c.Add("z", {3, 0, 0});
  const auto left = Merge(Merge(a.List(0), b.List(0), 10), c.List(0), 10);
  const auto right = Merge(a.List(0), Merge(c.List(0), b.List(0), 10), 10);
  EXPECT_EQ(left.items, right.items);
  EXPECT_THAT(left.items, testing::ElementsAre(HeavyHitter{"y", 5, 0}, HeavyHitter{"x", 3, 0},
                                               HeavyHitter{"z", 3, 0}));
}

TEST(HeavyHitters, CountLongNamesAsTheirBeginning) {
  HeavyHitters sketch(4);
  sketch.Add(std::string(100, 'a'), {1, 0, 0});
  sketch.Add(std::string(200, 'a'), {1, 0, 0});
  EXPECT_THAT(sketch.List(0).items,
              testing::ElementsAre(HeavyHitter{std::string(HeavyHitters::kMaxName, 'a'), 2, 0}));
  sketch.Clear();
  EXPECT_TRUE(sketch.List(0).items.empty());
  sketch.Add("b", {1, 0, 0});
  EXPECT_EQ(sketch.List(0).total, 1u);
}

TEST(HotSymbols, AddUpByNodeAndLoadOverWorkers) {
  HotSymbols first, second;
  first.Record("n1", "BTC", 10, 1000);
  first.Record("n1", "ETH", 0, 9000);
  second.Record("n1", "BTC", 5, 500);
  second.Record("n2", "XRP", 1, 1);
  std::map<std::string, NodeSymbols> all;
  first.MergeInto(all);
  second.MergeInto(all);
  ASSERT_EQ(all.size(), 2u);
  const NodeSymbols& node = all.at("n1");
  EXPECT_THAT(node[0].items,
              testing::ElementsAre(HeavyHitter{"BTC", 2, 0}, HeavyHitter{"ETH", 1, 0}));
  EXPECT_THAT(node[1].items, testing::ElementsAre(HeavyHitter{"BTC", 15, 0}));
  EXPECT_THAT(node[2].items,
              testing::ElementsAre(HeavyHitter{"ETH", 9000, 0}, HeavyHitter{"BTC", 1500, 0}));
  first.Reset();
  all.clear();
  first.MergeInto(all);
  EXPECT_TRUE(all.at("n1")[0].items.empty());
}

TEST(HotSymbols, LeaveOutNodesBeyondTheirNumber) {
  HotSymbols symbols(1);
  for (int i = 0; i < 300; ++i) symbols.Record("n" + std::to_string(i), "BTC", 1, 1);
  std::map<std::string, NodeSymbols> all;
  symbols.MergeInto(all);
  EXPECT_EQ(all.size(), HotSymbols::kMaxNodes);
}

}  // namespace
}  // namespace pgweir::observe
