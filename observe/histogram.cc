#include "observe/histogram.h"

#include <algorithm>
#include <bit>

namespace pgweir::observe {

void Histogram::Add(uint64_t value) {
  const size_t bucket = BucketOf(value);
  buckets_[bucket].Add(1);
  if (bucket < begin_.Get() || bucket >= end_.Get()) Widen(bucket, bucket + 1);
}

void Histogram::Widen(size_t begin, size_t end) {
  const bool empty = begin_.Get() == end_.Get();
  begin_.Set(empty ? begin : std::min<uint64_t>(begin_.Get(), begin));
  end_.Set(std::max<uint64_t>(end_.Get(), end));
}

void Histogram::Merge(const Histogram& other) {
  const size_t begin = other.begin_.Get();
  const size_t end = other.end_.Get();
  if (begin >= end) return;
  for (size_t i = begin; i < end; ++i) buckets_[i].Add(other.buckets_[i].Get());
  Widen(begin, end);
}

void Histogram::Subtract(const Histogram& earlier) {
  for (size_t i = earlier.begin_.Get(); i < earlier.end_.Get(); ++i) {
    buckets_[i].Set(buckets_[i].Get() - earlier.buckets_[i].Get());
  }
}

void Histogram::Clear() {
  for (size_t i = begin_.Get(); i < end_.Get(); ++i) buckets_[i].Set(0);
  begin_.Set(0);
  end_.Set(0);
}

uint64_t Histogram::count() const {
  uint64_t count = 0;
  for (size_t i = begin_.Get(); i < end_.Get(); ++i) count += buckets_[i].Get();
  return count;
}

uint64_t Histogram::Quantile(double q) const {
  const uint64_t all = count();
  if (all == 0) return 0;
  const auto rank = static_cast<uint64_t>(std::clamp(q, 0.0, 1.0) * static_cast<double>(all - 1));
  uint64_t before = 0;
  size_t last = 0;
  for (size_t i = begin_.Get(); i < end_.Get(); ++i) {
    const uint64_t here = buckets_[i].Get();
    if (here == 0) continue;
    last = i;
    before += here;
    if (before > rank) break;
  }
  return MiddleOf(last);
}

uint64_t Histogram::CountUpTo(uint64_t value) const {
  uint64_t count = 0;
  const size_t end = std::min<size_t>(end_.Get(), BucketOf(value) + 1);
  for (size_t i = begin_.Get(); i < end; ++i) count += buckets_[i].Get();
  return count;
}

// Values below two times kParts have buckets of their own.
size_t Histogram::BucketOf(uint64_t value) {
  value = std::min(value, kMaxValue);
  if (value < kParts) return value;
  const int shift = std::bit_width(value) - 1 - kPartBits;
  return kParts * static_cast<size_t>(shift) + (value >> shift);
}

// Of the least and the largest value of the bucket.
uint64_t Histogram::MiddleOf(size_t bucket) {
  if (bucket < 2 * kParts) return bucket;
  const size_t shift = bucket / kParts - 1;
  const uint64_t least = (kParts + bucket % kParts) << shift;
  return least + ((uint64_t{1} << shift) - 1) / 2;
}

}  // namespace pgweir::observe
