#include "report/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pgweir::report {
namespace {

constexpr uint32_t kMaxCount = std::numeric_limits<uint32_t>::max();

uint32_t IndexOf(uint64_t value) {
  static const double kScale = 1 / std::log2(QuantileSketch::kGamma);
  if (value <= 1) return 0;
  return static_cast<uint32_t>(std::ceil(std::log2(static_cast<double>(value)) * kScale));
}

// In the middle of the bucket, as far in relation to its upper end as to its lower one.
double ValueOf(uint32_t index) {
  return 2 * std::pow(QuantileSketch::kGamma, index) / (QuantileSketch::kGamma + 1);
}

uint32_t Sum(uint32_t a, uint32_t b) { return b > kMaxCount - a ? kMaxCount : a + b; }

}  // namespace

void QuantileSketch::AddTo(uint32_t index, uint32_t count) {
  const auto place = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                                      [](const Bucket& b, uint32_t i) { return b.index < i; });
  if (place != buckets_.end() && place->index == index) {
    place->count = Sum(place->count, count);
    return;
  }
  buckets_.insert(place, {index, count});
  if (buckets_.size() <= kMaxBuckets) return;
  buckets_[1].count = Sum(buckets_[0].count, buckets_[1].count);
  buckets_.erase(buckets_.begin());
}

void QuantileSketch::Add(uint64_t value) { AddTo(IndexOf(value), 1); }

void QuantileSketch::Merge(const QuantileSketch& other) {
  for (const Bucket& bucket : other.buckets_) AddTo(bucket.index, bucket.count);
}

double QuantileSketch::Quantile(double q) const {
  uint64_t total = 0;
  for (const Bucket& bucket : buckets_) total += bucket.count;
  if (total == 0) return 0;
  const auto rank = static_cast<uint64_t>(q * static_cast<double>(total - 1));
  uint64_t passed = 0;
  for (const Bucket& bucket : buckets_) {
    passed += bucket.count;
    if (passed > rank) return ValueOf(bucket.index);
  }
  return ValueOf(buckets_.back().index);
}

}  // namespace pgweir::report
