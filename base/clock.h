#pragma once

#include <chrono>

namespace pgweir {

// The one clock for deadlines and measurements: monotonic.
using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using TimePoint = Clock::time_point;

// Passed down instead of a duration, so that steps share one budget.
inline constexpr TimePoint kNoDeadline = TimePoint::max();

// now + d, or no deadline at all when d is zero: "0s" switches a limit off in the configuration.
inline TimePoint DeadlineAfter(Duration d) {
  return d == Duration::zero() ? kNoDeadline : Clock::now() + d;
}

}  // namespace pgweir
