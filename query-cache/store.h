#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "query-cache/s3_fifo.h"

namespace pgweir::cache {

// The answers in memory, for the whole process and any thread: parts by hash, each behind a mutex
// of its own that is held for a look-up or a bounded number of steps, never for I/O, a callback or
// the end of an entry. Knows nothing of what is fresh (freshness.h) or outdated (versions.h): an
// entry that is no longer served keeps its place until the next answer takes it.
class Store {
 public:
  struct Limits {
    // Of memory, what the entries' bytes and the store's own say. For the time of a Put() it may be
    // an entry more a thread.
    size_t max_bytes = size_t{256} << 20;
    size_t max_entry_bytes = size_t{1} << 20;  // Entry::bytes
  };
  struct Counts {
    size_t entries = 0;
    size_t bytes = 0;
    uint64_t stores = 0;
    uint64_t evictions = 0;
    uint64_t too_large = 0;
  };

  // How many parts there are is settled here, for good.
  explicit Store(const Limits& limits);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Null when there is none.
  EntryRef Find(const Key& key);

  // In the place of an older answer to the same key; a younger one stays. False when it is larger
  // than entries may be.
  bool Put(EntryRef entry);

  // One that its fill gave up, since it became larger than entries may be.
  void CountTooLarge() { too_large_.fetch_add(1, std::memory_order_relaxed); }

  // The entry, if it is still this one.
  void Erase(const Entry& entry);

  // All for which `matches`, and how many they were: those that were there when it began, others
  // perhaps. `matches` is called with a mutex held and must be short. Long-winded: not on a
  // worker's thread.
  size_t EraseIf(absl::FunctionRef<bool(const Entry&)> matches);

  // At a reload: gives up at once what is too much.
  void SetLimits(const Limits& limits);

  // Of the largest entry that may be stored.
  size_t max_entry_bytes() const { return max_entry_bytes_.load(std::memory_order_relaxed); }
  Counts counts() const;

 private:
  struct alignas(128) Part {  // two lines of cache, as they are fetched
    explicit Part(size_t capacity) : fifo(capacity) {}

    mutable Mutex mutex;
    S3Fifo fifo ABSL_GUARDED_BY(mutex);
    uint64_t stores ABSL_GUARDED_BY(mutex) = 0;
    uint64_t evictions ABSL_GUARDED_BY(mutex) = 0;
  };

  Part& PartOf(const Hash128& hash) { return *parts_[(hash.high >> 32) & (parts_.size() - 1)]; }
  static void Shrink(Part& part);
  static size_t EraseSome(Part& part, absl::FunctionRef<bool(const Entry&)> matches,
                          size_t& position);

  std::vector<std::unique_ptr<Part>> parts_;  // a power of two
  std::atomic<size_t> max_entry_bytes_;
  std::atomic<uint64_t> too_large_ = 0;
};

}  // namespace pgweir::cache
