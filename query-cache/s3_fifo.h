#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "query-cache/entry.h"
#include "query-cache/ghosts.h"

namespace pgweir::cache {

// Entries found by their hash, and which of them to give up: S3-FIFO (Yang, Zhang, Qiu, Yue and
// Vinayak, "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes in place of
// objects.
//
// What is new waits in a small queue, a tenth of the whole, and leaves it soon unless it was asked
// for more than once: a scan passes through there and harms nobody else. What was, or what comes
// back shortly after it left, goes to the main queue, and round again as often as it was asked for
// since, up to three times. A hit changes one small counter and moves nothing.
//
// For one thread at a time. Entries that leave are handed out, to be destroyed where nobody waits.
class S3Fifo {
 public:
  // What one entry needs here: a list's node, its share of a hash table that is two thirds full, of
  // a vector likewise.
  static constexpr size_t kBytesPerEntry =
      AllocationBytes(40) + (sizeof(Hash128) + sizeof(void*) + 1) * 3 / 2 + sizeof(void*) * 3 / 2;

  explicit S3Fifo(size_t capacity);
  S3Fifo(const S3Fifo&) = delete;
  S3Fifo& operator=(const S3Fifo&) = delete;

  // Null when there is none.
  EntryRef Find(const Hash128& hash);

  // In the place of the one with the same hash, if that is not of a later query. What is left over
  // comes back: the other one, this one, or null. The caller goes on with Evict() while IsFull().
  EntryRef Insert(EntryRef entry);
  bool IsFull() const { return bytes_ > capacity_ && !all_.empty(); }
  // One step towards room for more. Null when it only moved an entry.
  EntryRef Evict();

  // The entry, if it is still this one.
  EntryRef Erase(const Entry& entry);

  // Entries by their number, below size(). Whatever is erased, what has a lower number keeps it;
  // what had a higher one may move down to the place that became free.
  size_t size() const { return all_.size(); }
  const EntryRef& At(size_t number) const { return all_[number]->entry; }

  size_t bytes() const { return bytes_; }
  void set_capacity(size_t bytes) { capacity_ = bytes; }

 private:
  struct Node {
    EntryRef entry;
    uint32_t number = 0;  // in all_
    uint8_t asked = 0;    // up to kMaxAsked
    bool is_main = false;
  };
  // Newest first.
  struct Queue {
    std::list<Node> nodes;
    size_t bytes = 0;
  };
  using Place = std::list<Node>::iterator;
  struct LowHalf {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  Queue& QueueOf(const Node& node) { return node.is_main ? main_ : small_; }
  EntryRef EvictFromSmall();
  EntryRef EvictFromMain();
  // To the front of the main queue.
  void Move(Place place);
  EntryRef Remove(Place place);

  size_t capacity_;
  size_t bytes_;
  Queue small_;
  Queue main_;
  Ghosts ghosts_;
  absl::flat_hash_map<Hash128, Place, LowHalf> index_;
  std::vector<Place> all_;
};

}  // namespace pgweir::cache
