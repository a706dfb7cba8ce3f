#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <vector>

namespace pgweir::bench {

struct ScheduleOptions {
  double rate = 0;  // requests a second, by Poisson's law; or
  int users = 0;    // who pause between their requests
  std::chrono::milliseconds pause_min{1000};
  std::chrono::milliseconds pause_max{3000};
  std::chrono::milliseconds work{0};      // a user's request takes at least that long
  std::chrono::duration<double> ramp{0};  // over which the users come, one by one
  std::chrono::duration<double> duration{10};
};

// When requests are due, whatever becomes of those before them: a user who is answered late is
// behind, and asks no less.
class Schedule {
 public:
  using Clock = std::chrono::steady_clock;

  Schedule(const ScheduleOptions& options, Clock::time_point start, uint64_t seed);

  // Of the next request; nothing when there are no more.
  std::optional<Clock::time_point> Next() const;

  // The next one has been started.
  void Advance();

  Clock::time_point end() const { return end_; }

 private:
  Clock::duration Gap();

  const ScheduleOptions options_;
  const Clock::time_point end_;
  std::mt19937_64 random_;
  std::priority_queue<Clock::time_point, std::vector<Clock::time_point>, std::greater<>> due_;
};

}  // namespace pgweir::bench
