#include "observe/heavy_hitters.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "base/check.h"
#include "base/strings.h"

namespace pgweir::observe {
namespace {

constexpr size_t kNone = SIZE_MAX;

void SortByWeight(std::vector<HeavyHitter>& items) {
  std::sort(items.begin(), items.end(), [](const HeavyHitter& a, const HeavyHitter& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.name < b.name;
  });
}

}  // namespace

HeavyHitters::HeavyHitters(size_t capacity)
    : capacity_(capacity), slots_(std::bit_ceil(2 * capacity), kNone) {
  PGWEIR_CHECK(capacity > 0);
  items_.reserve(capacity);
  heap_.reserve(capacity);
}

uint64_t HeavyHitters::HashOf(std::string_view name) {
  return absl::HashOf(ToAbsl(name.substr(0, kMaxName)));
}

void HeavyHitters::Add(std::string_view name, uint64_t hash, uint64_t weight) {
  if (weight == 0) return;
  name = name.substr(0, kMaxName);
  total_ += weight;
  if (const size_t* const found = Find(name, hash); found != nullptr) {
    return Enlarge(*found, weight);
  }
  if (items_.size() < capacity_) {
    const size_t item = items_.size();
    items_.emplace_back().name.reserve(kMaxName);
    items_[item].name = name;
    items_[item].hash = hash;
    items_[item].weight = weight;
    items_[item].at = item;
    heap_.push_back(item);
    Insert(item);
    return SiftUp(item);
  }
  const size_t lightest = heap_[0];
  Item& item = items_[lightest];
  Erase(lightest);
  item.name = name;
  item.hash = hash;
  item.error = item.weight;
  Insert(lightest);
  Enlarge(lightest, weight);
}

size_t* HeavyHitters::Find(std::string_view name, uint64_t hash) {
  for (size_t slot = hash & (slots_.size() - 1); slots_[slot] != kNone; slot = Next(slot)) {
    const Item& item = items_[slots_[slot]];
    if (item.hash == hash && item.name == name) return &slots_[slot];
  }
  return nullptr;
}

void HeavyHitters::Insert(size_t item) {
  size_t slot = items_[item].hash & (slots_.size() - 1);
  while (slots_[slot] != kNone) slot = Next(slot);
  slots_[slot] = item;
}

// What had to pass over it moves up.
void HeavyHitters::Erase(size_t item) {
  const size_t mask = slots_.size() - 1;
  size_t hole = items_[item].hash & mask;
  while (slots_[hole] != item) hole = Next(hole);
  for (size_t slot = Next(hole); slots_[slot] != kNone; slot = Next(slot)) {
    const size_t home = items_[slots_[slot]].hash & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = kNone;
}

void HeavyHitters::Enlarge(size_t item, uint64_t weight) {
  items_[item].weight += weight;
  SiftDown(items_[item].at);
}

void HeavyHitters::Place(size_t at, size_t item) {
  heap_[at] = item;
  items_[item].at = at;
}

void HeavyHitters::SiftUp(size_t at) {
  const size_t item = heap_[at];
  while (at > 0 && WeightAt((at - 1) / 2) > items_[item].weight) {
    Place(at, heap_[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  Place(at, item);
}

void HeavyHitters::SiftDown(size_t at) {
  const size_t item = heap_[at];
  while (2 * at + 1 < heap_.size()) {
    size_t child = 2 * at + 1;
    if (child + 1 < heap_.size() && WeightAt(child + 1) < WeightAt(child)) ++child;
    if (WeightAt(child) >= items_[item].weight) break;
    Place(at, heap_[child]);
    at = child;
  }
  Place(at, item);
}

HeavyHitterList HeavyHitters::List() const {
  HeavyHitterList list;
  list.total = total_;
  if (items_.size() == capacity_) list.missing = WeightAt(0);
  for (const Item& item : items_) list.items.push_back({item.name, item.weight, item.error});
  SortByWeight(list.items);
  return list;
}

void HeavyHitters::Clear() {
  std::fill(slots_.begin(), slots_.end(), kNone);
  items_.clear();
  heap_.clear();
  total_ = 0;
}

// What only one of them has may have weighed up to `missing` in the other.
HeavyHitterList Merge(const HeavyHitterList& a, const HeavyHitterList& b, size_t capacity) {
  HeavyHitterList merged;
  merged.total = a.total + b.total;
  merged.missing = a.missing + b.missing;
  absl::flat_hash_map<std::string_view, const HeavyHitter*, StringHash, StringEq> others;
  for (const HeavyHitter& item : b.items) others.emplace(item.name, &item);
  for (const HeavyHitter& item : a.items) {
    const auto found = others.find(item.name);
    const bool both = found != others.end();
    merged.items.push_back({item.name, item.weight + (both ? found->second->weight : b.missing),
                            item.error + (both ? found->second->error : b.missing)});
    if (both) others.erase(found);
  }
  for (const auto& [name, item] : others) {
    merged.items.push_back({item->name, item->weight + a.missing, item->error + a.missing});
  }
  SortByWeight(merged.items);
  for (; merged.items.size() > capacity; merged.items.pop_back()) {
    merged.missing = std::max(merged.missing, merged.items.back().weight);
  }
  return merged;
}

}  // namespace pgweir::observe
