#include "pooler/pool_policy.h"

#include <algorithm>

namespace pgweir::pooler {

int BackendsToOpen(const config::Pool& limits, int open, int connecting, int waiting) {
  const int needed = waiting - connecting;
  const int allowed = limits.size + limits.overflow - open - connecting;
  return std::max(0, std::min(needed, allowed));
}

int BackendsToKeepReady(const config::Pool& limits, int open, int connecting) {
  return std::max(0, std::min(limits.min_size, limits.size) - open - connecting);
}

Duration ConnectBackoff(int failures, double random) {
  using std::chrono::milliseconds;
  const int doublings = std::clamp(failures - 1, 0, 10);
  const milliseconds full = std::min(milliseconds(100) * (1 << doublings), milliseconds(1'000));
  return std::chrono::duration_cast<Duration>(full * (0.5 + random / 2));
}

Duration MaxConnectPause(Duration wait_timeout) {
  return wait_timeout == Duration::zero() ? Duration::max() : wait_timeout / 4;
}

TimePoint RetireAt(TimePoint opened, Duration recycle, double random) {
  if (recycle == Duration::zero()) return kNoDeadline;
  return opened + std::chrono::duration_cast<Duration>(recycle * (1.0 - random / 10));
}

bool WorthRetrying(const Status& failure) {
  const std::string state = SqlStateOf(failure);
  const std::string_view state_class = std::string_view(state).substr(0, 2);
  return state_class == "08" || state_class == "53" || state_class == "57";
}

}  // namespace pgweir::pooler
