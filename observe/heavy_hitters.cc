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

HeavyHitters::HeavyHitters(size_t counters)
    : items_(counters), slots_(std::bit_ceil(2 * counters), kNone), sorted_(counters) {
  PGWEIR_CHECK(counters > 0);
  for (Item& item : items_) item.name.reserve(kMaxName);
}

void HeavyHitters::Add(std::string_view name, const Weights& weights) {
  name = name.substr(0, kMaxName);
  const uint64_t hash = absl::HashOf(ToAbsl(name));
  Item* item = Find(name, hash);
  if (item == nullptr) {
    if (used_ == items_.size()) GiveUpTheLight();
    item = &items_[used_];
    item->name.assign(name);
    item->hash = hash;
    item->weights = item->errors = floor_;
    PutInSlot(used_++);
  }
  for (size_t load = 0; load < kLoads; ++load) {
    item->weights[load] += weights[load];
    total_[load] += weights[load];
  }
}

HeavyHitters::Item* HeavyHitters::Find(std::string_view name, uint64_t hash) {
  for (size_t slot = hash & (slots_.size() - 1); slots_[slot] != kNone; slot = Next(slot)) {
    Item& item = items_[slots_[slot]];
    if (item.hash == hash && item.name == name) return &item;
  }
  return nullptr;
}

void HeavyHitters::PutInSlot(size_t item) {
  size_t slot = items_[item].hash & (slots_.size() - 1);
  while (slots_[slot] != kNone) slot = Next(slot);
  slots_[slot] = item;
}

// By each load only so few stay that together they are no more than half.
void HeavyHitters::GiveUpTheLight() {
  const size_t stay = items_.size() / (2 * kLoads);
  const auto border = sorted_.end() - static_cast<ptrdiff_t>(stay) - 1;
  for (size_t load = 0; load < kLoads; ++load) {
    for (size_t i = 0; i < items_.size(); ++i) sorted_[i] = items_[i].weights[load];
    std::nth_element(sorted_.begin(), border, sorted_.end());
    floor_[load] = *border;
  }
  std::fill(slots_.begin(), slots_.end(), kNone);
  used_ = 0;
  for (Item& item : items_) {
    bool heavy = false;
    for (size_t load = 0; load < kLoads; ++load) {
      heavy = heavy || item.weights[load] > floor_[load];
    }
    if (!heavy) continue;
    if (&item != &items_[used_]) std::swap(item, items_[used_]);
    PutInSlot(used_++);
  }
}

HeavyHitterList HeavyHitters::List(size_t load) const {
  HeavyHitterList list;
  list.total = total_[load];
  list.missing = floor_[load];
  for (size_t i = 0; i < used_; ++i) {
    const Item& item = items_[i];
    // What isn't heavier is among those that are missing.
    if (item.weights[load] <= floor_[load]) continue;
    list.items.push_back({item.name, item.weights[load], item.errors[load]});
  }
  SortByWeight(list.items);
  return list;
}

void HeavyHitters::Clear() {
  std::fill(slots_.begin(), slots_.end(), kNone);
  used_ = 0;
  floor_ = total_ = {};
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
