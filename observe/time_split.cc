#include "observe/time_split.h"

#include <algorithm>

namespace pgweir::observe {
namespace {

uint64_t Micros(Duration time) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return static_cast<uint64_t>(std::max<decltype(count)>(count, 0));
}

}  // namespace

TimeSplit StatementTimer::Split() const {
  TimePoint last = at_[0];
  uint64_t took[kMoments] = {};
  for (size_t i = 1; i < kMoments; ++i) {
    if (at_[i] <= last) continue;
    took[i] = Micros(at_[i] - last);
    last = at_[i];
  }
  const auto of = [&took](Moment moment) { return took[static_cast<size_t>(moment)]; };
  TimeSplit split;
  split.total_us = Micros(last - at_[0]);
  split.route_us = of(Moment::kRouted);
  split.wait_us = of(Moment::kGranted);
  split.connect_us = std::min(Micros(connecting_), split.wait_us);
  split.sync_us = of(Moment::kSent);
  split.ahead_us = of(Moment::kTurn);
  split.backend_us = of(Moment::kFirstByte);
  split.transfer_us = of(Moment::kLastByte);
  split.blocked_us = std::min(Micros(blocked_), split.transfer_us);
  return split;
}

}  // namespace pgweir::observe
