#include "query-cache/store.h"

#include <algorithm>
#include <bit>

namespace pgweir::cache {
namespace {

constexpr size_t kMaxParts = 1024;
// So small that no step on a part takes long, such as its hash table's growth, and so large that
// entries of the largest size don't push out all the others.
constexpr size_t kLeastPartBytes = size_t{4} << 20;
constexpr size_t kEntriesPerPart = 16;
// Done at one go with the mutex held.
constexpr size_t kStepsAtOnce = 64;

size_t PartsFor(const Store::Limits& limits) {
  const size_t least = std::max(kLeastPartBytes, kEntriesPerPart * limits.max_entry_bytes);
  return std::bit_floor(std::clamp(limits.max_bytes / least, size_t{1}, kMaxParts));
}

}  // namespace

Store::Store(const Limits& limits) : max_entry_bytes_(limits.max_entry_bytes) {
  const size_t count = PartsFor(limits);
  for (size_t i = 0; i < count; ++i) {
    parts_.push_back(std::make_unique<Part>(limits.max_bytes / count));
  }
}

EntryRef Store::Find(const Key& key) {
  EntryRef entry;
  {
    Part& part = PartOf(key.hash);
    MutexLock lock(part.mutex);
    entry = part.fifo.Find(key.hash);
  }
  if (entry != nullptr && entry->key != key.bytes) return nullptr;
  return entry;
}

bool Store::Put(EntryRef entry) {
  if (entry->bytes > max_entry_bytes()) {
    CountTooLarge();
    return false;
  }
  Part& part = PartOf(entry->hash);
  EntryRef left_over;  // ends behind the lock
  {
    MutexLock lock(part.mutex);
    left_over = part.fifo.Insert(std::move(entry));
    ++part.stores;
  }
  Shrink(part);
  return true;
}

void Store::Shrink(Part& part) {
  std::vector<EntryRef> evicted;
  evicted.reserve(kStepsAtOnce);
  for (bool is_full = true; is_full; evicted.clear()) {
    MutexLock lock(part.mutex);
    for (size_t i = 0; i < kStepsAtOnce && part.fifo.IsFull(); ++i) {
      EntryRef entry = part.fifo.Evict();
      if (entry == nullptr) continue;
      ++part.evictions;
      evicted.push_back(std::move(entry));
    }
    is_full = part.fifo.IsFull();
  }
}

void Store::Erase(const Entry& entry) {
  Part& part = PartOf(entry.hash);
  EntryRef erased;
  MutexLock lock(part.mutex);
  erased = part.fifo.Erase(entry);
}

// From the last to the first: an entry that an eviction moves meanwhile goes to a place of one that
// stood before it, and is met there.
size_t Store::EraseIf(absl::FunctionRef<bool(const Entry&)> matches) {
  size_t erased = 0;
  for (const auto& part : parts_) {
    size_t position = SIZE_MAX;
    while (position > 0) erased += EraseSome(*part, matches, position);
  }
  return erased;
}

size_t Store::EraseSome(Part& part, absl::FunctionRef<bool(const Entry&)> matches,
                        size_t& position) {
  std::vector<EntryRef> erased;
  MutexLock lock(part.mutex);
  position = std::min(position, part.fifo.size());
  for (size_t i = 0; i < kStepsAtOnce && position > 0; ++i) {
    const EntryRef& entry = part.fifo.At(--position);
    if (matches(*entry)) erased.push_back(part.fifo.Erase(*entry));
  }
  return erased.size();
}

void Store::SetLimits(const Limits& limits) {
  max_entry_bytes_.store(limits.max_entry_bytes, std::memory_order_relaxed);
  for (const auto& part : parts_) {
    {
      MutexLock lock(part->mutex);
      part->fifo.set_capacity(limits.max_bytes / parts_.size());
    }
    Shrink(*part);
  }
}

Store::Counts Store::counts() const {
  Counts counts;
  counts.too_large = too_large_.load(std::memory_order_relaxed);
  for (const auto& part : parts_) {
    MutexLock lock(part->mutex);
    counts.entries += part->fifo.size();
    counts.bytes += part->fifo.bytes();
    counts.stores += part->stores;
    counts.evictions += part->evictions;
  }
  return counts;
}

}  // namespace pgweir::cache
