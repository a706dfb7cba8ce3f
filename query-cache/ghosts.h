#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "query-cache/key.h"

namespace pgweir::cache {

// What was lately evicted without having been asked for twice: S3-FIFO's ghost queue, as a table of
// fixed size in which a fingerprint with its time stands until newer ones take its place. Mistaken
// now and then, which costs an entry a better place than it deserves. For one thread at a time.
class Ghosts {
 public:
  // Rounded up to a power of two.
  explicit Ghosts(size_t count);

  void Add(const Hash128& hash);
  // Whether it is among the last `window` that were added. It is forgotten.
  bool Take(const Hash128& hash, size_t window);

  size_t bytes() const { return buckets_.size() * sizeof(Bucket); }

 private:
  struct Ghost {
    uint32_t fingerprint = 0;
    uint32_t time = 0;  // 0 = none; else how many had been added, this included
  };
  using Bucket = std::array<Ghost, 4>;

  Bucket& BucketOf(const Hash128& hash) { return buckets_[hash.low & (buckets_.size() - 1)]; }
  uint32_t Age(const Ghost& ghost) const { return time_ - ghost.time; }

  std::vector<Bucket> buckets_;
  uint32_t time_ = 0;
};

}  // namespace pgweir::cache
