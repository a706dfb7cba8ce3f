#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::observe {

// A name that may be one of the heaviest by some load.
struct HeavyHitter {
  std::string name;
  // The true weight is at least weight - error and at most weight.
  uint64_t weight = 0;
  uint64_t error = 0;
  bool operator==(const HeavyHitter&) const = default;
};

// The state of a sketch as a value, for one load.
struct HeavyHitterList {
  std::vector<HeavyHitter> items;  // heaviest first
  uint64_t total = 0;              // of all names
  uint64_t missing = 0;            // what a name that isn't there may weigh, at most
};

// Both streams' (Agarwal and others: Mergeable Summaries, PODS 2012), of so many items.
HeavyHitterList Merge(const HeavyHitterList& a, const HeavyHitterList& b, size_t capacity);

// The heaviest names of a stream by each of several loads, found with a fixed number of counters.
// When they are all taken, what is light by every load is given up at once, at least half of them,
// so that a name costs a look into a table and little more, however many come (Anderson and others:
// A High-Performance Algorithm for Identifying Frequent Items in Data Streams, IMC 2017; the bounds
// are Misra and Gries's). A name that gets a counter begins with as much as it may have weighed
// before, which is its possible error.
//
// For one thread. Once made it allocates nothing but what List() returns.
class HeavyHitters {
 public:
  static constexpr size_t kLoads = 3;
  using Weights = std::array<uint64_t, kLoads>;
  static constexpr size_t kMaxName = 64;  // longer ones count as their beginning

  explicit HeavyHitters(size_t counters);
  HeavyHitters(const HeavyHitters&) = delete;
  HeavyHitters& operator=(const HeavyHitters&) = delete;

  // Whatever weighs more than 2 · kLoads · total / counters by a load has a counter.
  void Add(std::string_view name, const Weights& weights);
  HeavyHitterList List(size_t load) const;
  void Clear();

 private:
  struct Item {
    std::string name;
    uint64_t hash = 0;
    Weights weights{};
    Weights errors{};
  };

  Item* Find(std::string_view name, uint64_t hash);  // null when it isn't there
  void PutInSlot(size_t item);
  void GiveUpTheLight();
  size_t Next(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  std::vector<Item> items_;  // those behind used_ keep their names' memory
  size_t used_ = 0;
  std::vector<size_t> slots_;  // of items, by hash and linear probing. At most half are taken.
  std::vector<uint64_t> sorted_;
  Weights floor_{};  // what a name without a counter may weigh
  Weights total_{};
};

}  // namespace pgweir::observe
