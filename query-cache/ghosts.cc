#include "query-cache/ghosts.h"

#include <algorithm>
#include <bit>

namespace pgweir::cache {
namespace {

uint32_t FingerprintOf(const Hash128& hash) { return static_cast<uint32_t>(hash.high); }

}  // namespace

Ghosts::Ghosts(size_t count)
    : buckets_(std::bit_ceil(std::max(count / std::tuple_size_v<Bucket>, size_t{1}))) {}

void Ghosts::Add(const Hash128& hash) {
  if (++time_ == 0) time_ = 1;
  Bucket& bucket = BucketOf(hash);
  const uint32_t fingerprint = FingerprintOf(hash);
  auto place = std::ranges::find_if(bucket, [&](const Ghost& ghost) {
    return ghost.time == 0 || ghost.fingerprint == fingerprint;
  });
  if (place == bucket.end()) {
    place = std::ranges::max_element(bucket, {}, [this](const Ghost& g) { return Age(g); });
  }
  *place = {fingerprint, time_};
}

bool Ghosts::Take(const Hash128& hash, size_t window) {
  const uint32_t fingerprint = FingerprintOf(hash);
  for (Ghost& ghost : BucketOf(hash)) {
    if (ghost.time == 0 || ghost.fingerprint != fingerprint) continue;
    const bool is_recent = Age(ghost) < window;
    ghost = {};
    return is_recent;
  }
  return false;
}

}  // namespace pgweir::cache
