#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace pgweir::proxy {

// How long things took, counted in log-linear steps: microseconds up to 8, then each doubling in 8
// equal steps, up to 19 hours. What is read of it is the middle of a step, so within 1/16 (6.25 %)
// of the truth. Changed by one thread alone, without a locked instruction; read by any.
class LatencyHistogram {
 public:
  static constexpr size_t kSteps = 272;
  using Counts = std::array<uint64_t, kSteps>;

  void Add(Duration time) {
    std::atomic<uint64_t>& count = counts_[StepOf(time)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void AddTo(Counts& sum) const {
    for (size_t i = 0; i < kSteps; ++i) sum[i] += counts_[i].load(std::memory_order_relaxed);
  }

  // The time that a share of all took no longer than, in microseconds; nothing when there are none.
  static std::optional<double> Quantile(const Counts& counts, double share) {
    uint64_t all = 0;
    for (const uint64_t count : counts) all += count;
    if (all == 0) return std::nullopt;
    const double rank = share * static_cast<double>(all);
    uint64_t below = 0;
    for (size_t step = 0; step < kSteps; ++step) {
      below += counts[step];
      if (counts[step] != 0 && static_cast<double>(below) >= rank) return MiddleOf(step);
    }
    return MiddleOf(kSteps - 1);
  }

 private:
  static constexpr uint64_t kPerDoubling = 8;
  static constexpr uint64_t kMost = (uint64_t{1} << 36) - 1;

  static size_t StepOf(Duration time) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    const uint64_t us = std::min(static_cast<uint64_t>(std::max<int64_t>(count, 0)), kMost);
    if (us < kPerDoubling) return us;
    const auto width = static_cast<size_t>(std::bit_width(us));  // from 4
    return (width - 3) * kPerDoubling + (us >> (width - 4)) % kPerDoubling;
  }
  static double MiddleOf(size_t step) {
    if (step < 2 * kPerDoubling) return static_cast<double>(step);
    const size_t shift = step / kPerDoubling - 1;
    const uint64_t from = (kPerDoubling + step % kPerDoubling) << shift;
    return static_cast<double>(from) + static_cast<double>(uint64_t{1} << shift) / 2;
  }

  std::array<std::atomic<uint64_t>, kSteps> counts_{};
};

}  // namespace pgweir::proxy
