#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

#include "observe/digest_sums.h"
#include "proxy/host.h"

namespace pgweir::proxy {

// The last ten minutes in figures, one every two seconds, so that who looks at the dashboard sees
// what has just been. Belongs to one thread.
class Course {
 public:
  static constexpr std::chrono::seconds kPeriod{2};
  static constexpr size_t kKept = 300;

  struct Moment {
    int64_t second = 0;  // of the system's clock; the figures are of the time before it
    double statements = 0, errors = 0, hits = 0, misses = 0;  // a second; of the cache
    uint64_t p50_us = 0, p95_us = 0, p99_us = 0;              // 0 = there were no statements
    // Statements under way: their time in each part by the time that went by.
    double queue = 0, server = 0, transfer = 0, client = 0, rest = 0;
    int active = 0, idle = 0, connecting = 0, waiting = 0, clients = 0;
  };

  // To be called more often than kPeriod; takes a figure when it is time for one.
  void Follow(const Shared& shared, TimePoint now);
  const std::deque<Moment>& moments() const { return moments_; }

 private:
  struct Seen {
    TimePoint at;
    observe::DigestSums statements;
    uint64_t hits = 0, misses = 0;
  };

  std::unique_ptr<Seen> last_;
  std::deque<Moment> moments_;
};

}  // namespace pgweir::proxy
