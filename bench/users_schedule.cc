#include "bench/users_schedule.h"

namespace pgweir::bench {

using std::chrono::duration_cast;

Schedule::Schedule(const ScheduleOptions& options, Clock::time_point start, uint64_t seed)
    : options_(options),
      end_(start + duration_cast<Clock::duration>(options.duration)),
      random_(seed) {
  if (options.rate > 0) due_.push(start + Gap());
  for (int user = 0; user < options.users; ++user) {
    const double share = (user + 0.5) / options.users;
    due_.push(start + duration_cast<Clock::duration>(options.ramp * share));
  }
}

std::optional<Schedule::Clock::time_point> Schedule::Next() const {
  if (due_.empty() || due_.top() >= end_) return std::nullopt;
  return due_.top();
}

void Schedule::Advance() {
  const Clock::time_point due = due_.top();
  due_.pop();
  due_.push(due + Gap());
}

Schedule::Clock::duration Schedule::Gap() {
  if (options_.rate > 0) {
    const std::chrono::duration<double> gap(std::exponential_distribution(options_.rate)(random_));
    return duration_cast<Clock::duration>(gap);
  }
  const std::chrono::duration<double, std::milli> pause(std::uniform_real_distribution<double>(
      static_cast<double>(options_.pause_min.count()),
      static_cast<double>(options_.pause_max.count()))(random_));
  return options_.work + duration_cast<Clock::duration>(pause);
}

}  // namespace pgweir::bench
