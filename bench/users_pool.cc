#include "bench/users_pool.h"

#include <algorithm>

namespace pgweir::bench {

std::optional<AppPool::Grant> AppPool::CheckOut(uint64_t request, Clock::time_point now) {
  if (!idle_.empty()) {
    const uint64_t connection = idle_.back();
    idle_.pop_back();
    return Grant{request, connection};
  }
  if (open_ < limit_) return Open(request);
  waiting_.push_back({request, now + timeout_});
  return std::nullopt;
}

AppPool::GivenBack AppPool::GiveBack(uint64_t connection) {
  if (!waiting_.empty()) return {Grant{PopWaiter(), connection}};
  if (static_cast<int>(idle_.size()) < size_) {
    idle_.push_back(connection);
    return {};
  }
  --open_;
  return {std::nullopt, true};
}

std::optional<AppPool::Grant> AppPool::Lose() {
  --open_;
  if (waiting_.empty()) return std::nullopt;
  return Open(PopWaiter());
}

std::vector<uint64_t> AppPool::TimeOut(Clock::time_point now) {
  std::vector<uint64_t> requests;
  while (!waiting_.empty() && waiting_.front().deadline <= now) requests.push_back(PopWaiter());
  return requests;
}

std::optional<AppPool::Clock::time_point> AppPool::NextTimeOut() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front().deadline;
}

uint64_t AppPool::PopWaiter() {
  const uint64_t request = waiting_.front().request;
  waiting_.pop_front();
  return request;
}

AppPool::Grant AppPool::Open(uint64_t request) {
  most_open_ = std::max(most_open_, ++open_);
  return {request, std::nullopt};
}

}  // namespace pgweir::bench
