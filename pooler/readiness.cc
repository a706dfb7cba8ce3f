#include "pooler/readiness.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace pgweir::pooler {

net::Task<bool> BlockingReadiness::Await(int fd, Way way, TimePoint until) {
  using std::chrono::milliseconds;
  const TimePoint end = std::min(until, deadline_);
  pollfd watched{};
  watched.fd = fd;
  watched.events = way == Way::kReading ? POLLIN : POLLOUT;
  while (true) {
    const TimePoint now = Clock::now();
    if (now >= end) co_return false;
    // A minute at a time, as "no deadline" does not fit into poll's argument.
    const auto left = std::min<Duration>(end - now, std::chrono::minutes(1));
    const auto timeout = std::chrono::ceil<milliseconds>(left).count();
    const int ready = poll(&watched, 1, static_cast<int>(timeout));
    if (ready > 0) co_return true;
    if (ready < 0 && errno != EINTR) co_return false;
  }
}

}  // namespace pgweir::pooler
