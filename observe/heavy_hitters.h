#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::observe {

// The heaviest names of a stream, found with a fixed number of counters: Space-Saving (Metwally,
// Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, ICDT
// 2005), with weights. A name without a counter takes over the least one, weight and all, and what
// it took over is its possible error.
struct HeavyHitter {
  std::string name;
  // The true weight is at least weight - error and at most weight.
  uint64_t weight = 0;
  uint64_t error = 0;
  bool operator==(const HeavyHitter&) const = default;
};

// The state of a sketch as a value.
struct HeavyHitterList {
  std::vector<HeavyHitter> items;  // heaviest first
  uint64_t total = 0;              // of all names
  uint64_t missing = 0;            // what a name that isn't there may weigh, at most
};

// Both streams' (Agarwal and others: Mergeable Summaries, PODS 2012), of so many items.
HeavyHitterList Merge(const HeavyHitterList& a, const HeavyHitterList& b, size_t capacity);

// For one thread. Once warm it allocates nothing.
class HeavyHitters {
 public:
  static constexpr size_t kMaxName = 64;  // longer ones count as their beginning

  explicit HeavyHitters(size_t capacity);
  HeavyHitters(const HeavyHitters&) = delete;
  HeavyHitters& operator=(const HeavyHitters&) = delete;

  // Whatever weighs more than total / capacity has a counter.
  void Add(std::string_view name, uint64_t weight) { Add(name, HashOf(name), weight); }
  // The same, for one of several that are given the same name: `hash` is HashOf(name).
  void Add(std::string_view name, uint64_t hash, uint64_t weight);
  static uint64_t HashOf(std::string_view name);
  HeavyHitterList List() const;
  void Clear();

 private:
  struct Item {
    std::string name;
    uint64_t hash = 0;
    uint64_t weight = 0;
    uint64_t error = 0;
    size_t at = 0;  // in heap_
  };

  // Items by name: linear probing, and nothing left behind by one that goes, since with many light
  // names one goes for each that comes (Knuth, TAOCP 3, 6.4, algorithm R).
  size_t* Find(std::string_view name, uint64_t hash);  // null when it isn't there
  void Insert(size_t item);
  void Erase(size_t item);
  size_t Next(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  void Enlarge(size_t item, uint64_t weight);
  void Place(size_t at, size_t item);
  void SiftUp(size_t at);
  void SiftDown(size_t at);
  uint64_t WeightAt(size_t at) const { return items_[heap_[at]].weight; }

  const size_t capacity_;
  std::vector<Item> items_;
  std::vector<size_t> heap_;   // of items, the lightest on top
  std::vector<size_t> slots_;  // of items, by hash; kNone = free. At most half are taken.
  uint64_t total_ = 0;
};

}  // namespace pgweir::observe
