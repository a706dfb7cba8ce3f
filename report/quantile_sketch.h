#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pgweir::report {

// DDSketch (C. Masson, J. E. Rim, H. K. Lee: "DDSketch: a fast and fully-mergeable quantile sketch
// with relative-error guarantees", PVLDB 12(12), 2019). Bucket i counts the values in
// (kGamma^(i-1), kGamma^i], so that a quantile is off by 2.5 % at most, and sketches can be added
// to each other. Only buckets that are in use are kept, at most kMaxBuckets of them: beyond that
// the two lowest become one, which costs low quantiles their precision and high ones nothing.
class QuantileSketch {
 public:
  static constexpr double kGamma = 1.05;
  static constexpr size_t kMaxBuckets = 256;

  struct Bucket {
    uint32_t index;
    uint32_t count;  // stays at its maximum
  };

  void Add(uint64_t value);
  void Merge(const QuantileSketch& other);

  // The value of which a share of q, 0 to 1, is not larger; 0 when there is none.
  double Quantile(double q) const;

  // Rising.
  std::span<const Bucket> buckets() const { return buckets_; }

 private:
  void AddTo(uint32_t index, uint32_t count);

  std::vector<Bucket> buckets_;
};

}  // namespace pgweir::report
