#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "config/config.h"

namespace pgweir::proxy {

// What a session may take its time for (pool.query_timeout and its kin). Told what the session does
// whenever it is about to wait, it knows until when.
class TimeLimits {
 public:
  void Configure(const config::Pool& limits);
  // Whether there is any limit at all.
  bool any() const { return any_; }

  struct Doing {
    bool working = false;  // a server owes it an answer
    uint64_t answers = 0;  // complete ones so far: where this changes, another one is worked on
    bool in_transaction = false;
  };
  enum class Exceeded : uint8_t {
    kNothing,
    kQuery,         // to be cancelled
    kQueryForLong,  // and that did not help
    kTransaction,
    kIdleInTransaction,
    kIdle,
  };
  // The session does this from `now` on, or still. Reports a limit that has passed; kQuery once for
  // each query.
  Exceeded Watch(const Doing& doing, TimePoint now);
  // When to look again; kNoDeadline if never.
  TimePoint next() const { return next_; }

 private:
  bool any_ = false;
  std::chrono::milliseconds query_{0}, transaction_{0}, idle_transaction_{0}, idle_{0};
  Doing doing_;
  TimePoint doing_since_ = kNoDeadline;
  TimePoint transaction_since_ = kNoDeadline;
  TimePoint next_ = kNoDeadline;
  bool cancelled_ = false;
};

}  // namespace pgweir::proxy
