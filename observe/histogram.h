#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "observe/counter.h"

namespace pgweir::observe {

// Quantiles of durations in microseconds, of any number of them in fixed memory: a DDSketch
// (Masson, Rim, Lee: DDSketch, VLDB 2019), whose buckets grow with the value, so that a quantile is
// wrong by no more than a share of itself. Its buckets here are each power of two in 32 equal
// parts, which takes no logarithm to find. Sketches add up to the sketch of all their values.
//
// One thread changes it, any may read.
class Histogram {
 public:
  // What Quantile() is wrong by, at most, of the true value.
  static constexpr double kRelativeError = 1.0 / 64;
  // About 18 minutes; what is longer counts as that.
  static constexpr uint64_t kMaxValue = (uint64_t{1} << 30) - 1;

  void Add(uint64_t value);
  void Merge(const Histogram& other);
  // What has come since this one was `earlier`.
  void Subtract(const Histogram& earlier);
  void Clear();

  uint64_t count() const;
  // Of n values in order the one at floor(q · (n - 1)), from 0; 0 without values.
  uint64_t Quantile(double q) const;
  // How many values were at most `value`, but for those that share its bucket and are more.
  uint64_t CountUpTo(uint64_t value) const;

 private:
  static constexpr int kPartBits = 5;
  static constexpr size_t kParts = size_t{1} << kPartBits;
  static constexpr size_t kBuckets = kParts * (30 - kPartBits + 1);

  static size_t BucketOf(uint64_t value);
  static uint64_t MiddleOf(size_t bucket);
  void Widen(size_t first, size_t last);

  std::array<Counter, kBuckets> buckets_;
  // What is outside is zero. Empty at first.
  Counter begin_;
  Counter end_;
};

}  // namespace pgweir::observe
