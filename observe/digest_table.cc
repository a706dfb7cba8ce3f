#include "observe/digest_table.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/strings.h"
#include "observe/json_text.h"
#include "observe/secrets.h"

namespace pgweir::observe {
namespace {

// A place that is to be given away is the coldest of so many.
constexpr size_t kCandidates = 8;
// What a call counts, beside its microseconds.
constexpr uint64_t kUseOfCall = 100;
// What is not seen for so long is worth half.
constexpr uint64_t kHalfLifeUs = uint64_t{5} * 60 * 1'000'000;

std::string_view NameOf(std::string_view name) {
  return name.size() <= DigestTable::kMaxName ? name : CutUtf8(name, DigestTable::kMaxName);
}

}  // namespace

DigestTable::DigestTable(Options options)
    : options_(options), places_(std::make_unique<Place[]>(options.digests)) {
  index_.reserve(options.digests);
}

bool DigestTable::IsOf(const Place& place, const StatementRecord& record) {
  return place.digest == record.digest && place.database == NameOf(record.client->database) &&
         place.user == NameOf(record.client->user);
}

bool DigestTable::Record(const StatementRecord& record) {
  const uint64_t hash = absl::HashOf(record.digest, ToAbsl(NameOf(record.client->database)),
                                     ToAbsl(NameOf(record.client->user)));
  const auto found = index_.find(hash);
  Place* place = found == index_.end() ? nullptr : &places_[found->second];
  const bool current = place != nullptr && IsOf(*place, record) &&
                       place->epoch == epoch_.load(std::memory_order_relaxed);
  if (!current) [[unlikely]] {
    place = TakePlace(hash, record);
    if (place == nullptr) {
      AddToOther(record);
      return false;
    }
  }
  place->sums.Add(record);
  return !place->described;
}

// Null while somebody reads.
DigestTable::Place* DigestTable::TakePlace(uint64_t hash, const StatementRecord& record) {
  if (options_.digests == 0 || !mutex_.TryLock()) return nullptr;
  Place* place = nullptr;
  const auto found = index_.find(hash);
  if (found != index_.end()) {
    // Its own, of an earlier epoch; or of another digest with the same hash.
    place = &places_[found->second];
  } else if (used_ < options_.digests) {
    place = &places_[used_];
    index_.emplace(hash, static_cast<uint32_t>(used_));
    ++used_;
  } else {
    place = &LeastUseful(record);
    index_.erase(place->hash);
    index_.emplace(hash, static_cast<uint32_t>(place - places_.get()));
  }
  Renew(*place, hash, record);
  mutex_.Unlock();
  return place;
}

DigestTable::Place& DigestTable::LeastUseful(const StatementRecord& record) {
  const uint64_t now = MicrosOf(record.finished);
  Place* least = nullptr;
  uint64_t least_use = 0;
  for (size_t i = 0; i < std::min(kCandidates, options_.digests); ++i) {
    Place& place = places_[hand_];
    hand_ = (hand_ + 1) % options_.digests;
    const uint64_t use = UseOf(place, now);
    if (least != nullptr && use >= least_use) continue;
    least = &place;
    least_use = use;
  }
  return *least;
}

uint64_t DigestTable::UseOf(const Place& place, uint64_t now_us) const {
  if (place.epoch != epoch_.load(std::memory_order_relaxed)) return 0;
  const uint64_t seen = place.sums.last_seen.Get();
  const uint64_t halvings = now_us > seen ? (now_us - seen) / kHalfLifeUs : 0;
  const uint64_t use = place.sums.total_us.Get() + kUseOfCall * place.sums.calls.Get();
  return halvings < 64 ? use >> halvings : 0;
}

void DigestTable::Renew(Place& place, uint64_t hash, const StatementRecord& record) {
  const uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  if (place.epoch == epoch) CurrentOther().Merge(place.sums);
  place.sums.Clear();
  place.epoch = epoch;
  place.hash = hash;
  place.digest = record.digest;
  place.database = NameOf(record.client->database);
  place.user = NameOf(record.client->user);
  place.text.clear();
  place.example.clear();
  place.described = false;
}

void DigestTable::Describe(const StatementRecord& record) {
  const uint64_t hash = absl::HashOf(record.digest, ToAbsl(NameOf(record.client->database)),
                                     ToAbsl(NameOf(record.client->user)));
  const auto found = index_.find(hash);
  if (found == index_.end()) return;
  Place& place = places_[found->second];
  if (!IsOf(place, record) || !mutex_.TryLock()) return;
  place.text = CutUtf8(record.digest_text, kMaxText);
  if (options_.keep_examples && !MayHoldSecret(record.text)) {
    place.example = CutUtf8(record.text, kMaxExample);
  }
  place.described = true;
  mutex_.Unlock();
}

void DigestTable::AddToOther(const StatementRecord& record) { CurrentOther().Add(record); }

DigestSums& DigestTable::CurrentOther() {
  const uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  if (other_epoch_.load(std::memory_order_relaxed) != epoch) {
    other_.Clear();
    other_epoch_.store(epoch, std::memory_order_relaxed);
  }
  return other_;
}

void DigestTable::ForEach(const std::function<void(const Row&)>& visit) const {
  const uint64_t epoch = epoch_.load(std::memory_order_relaxed);
  const auto copy = std::make_unique<Place>();
  for (size_t i = 0; i < options_.digests; ++i) {
    {
      const MutexLock lock(mutex_);
      if (places_[i].epoch != epoch) continue;
      *copy = places_[i];
    }
    visit({copy->database, copy->user, copy->text, copy->example, copy->digest, &copy->sums});
  }
  copy->sums.Clear();
  if (other_epoch_.load(std::memory_order_relaxed) == epoch) copy->sums.Merge(other_);
  Row other;
  other.sums = &copy->sums;
  visit(other);
}

}  // namespace pgweir::observe
