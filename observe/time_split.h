#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace pgweir::observe {

// Where a statement's time went, in microseconds of one monotonic clock. Each is a stretch of its
// own, so that
//   total = route + wait + sync + ahead + backend + transfer
// but for rounding down. `connect` is part of `wait`, `blocked` part of `transfer`.
struct TimeSplit {
  uint64_t total_us = 0;     // received whole → last byte in the client's socket
  uint64_t route_us = 0;     // received → known where it goes
  uint64_t wait_us = 0;      // → a backend is held
  uint64_t connect_us = 0;   // of that: one was being opened for it
  uint64_t sync_us = 0;      // → the session is as it must be there, and the statement sent
  uint64_t ahead_us = 0;     // → statements before it on that backend were answered
  uint64_t backend_us = 0;   // → the first byte of its answer
  uint64_t transfer_us = 0;  // → the last
  uint64_t blocked_us = 0;   // of that: the client did not read
};

// The moments a statement passes, in their order. One that it does not pass is not marked: a
// statement that was answered from the cache has no backend, one without statements before it no
// turn. One that is done again, because its backend died, is marked again.
enum class Moment : uint8_t {
  kReceived,
  kRouted,
  kGranted,
  kSent,
  kTurn,
  kFirstByte,
  kLastByte,
};

// The stop-watch of one statement: a few stores, no allocation, no clock of its own. A worker reads
// the clock once for what happens at once and gives the same moment to all that it marks.
class StatementTimer {
 public:
  void Start(TimePoint now) {
    *this = StatementTimer();
    Mark(Moment::kReceived, now);
  }
  void Mark(Moment moment, TimePoint now) { at_[static_cast<size_t>(moment)] = now; }
  // Of the wait, and of the transfer; may be told in parts.
  void AddConnecting(Duration time) { connecting_ += time; }
  void AddBlocked(Duration time) { blocked_ += time; }

  TimePoint received() const { return at_[0]; }
  // What was not marked took no time; nor did what would have ended before it began.
  TimeSplit Split() const;

 private:
  static constexpr size_t kMoments = static_cast<size_t>(Moment::kLastByte) + 1;
  TimePoint at_[kMoments] = {};  // the clock's zero = not marked
  Duration connecting_{};
  Duration blocked_{};
};

}  // namespace pgweir::observe
