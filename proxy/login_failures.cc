#include "proxy/login_failures.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

// Whoever has one IPv6 address has the 2^64 beside it too.
std::string NetworkOf(const IpAddress& address) {
  const size_t significant = address.family() == IpAddress::Family::kV4 ? 4 : 8;
  return std::string(reinterpret_cast<const char*>(address.bytes().data()), significant);
}

}  // namespace

Duration LoginFailures::Note(const IpAddress& address, std::string_view user, Duration first,
                             TimePoint now) {
  if (first == Duration::zero()) return first;
  const std::string network = NetworkOf(address);
  MutexLock lock(mutex_);
  Count(network + std::string(user), first, now);
  return Count(network, first, now);
}

Duration LoginFailures::Count(std::string key, Duration first, TimePoint now) {
  const auto found = places_.find(key);
  if (found != places_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    if (entries_.size() >= max_entries_) {
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({.key = key, .last = now});
    places_[std::move(key)] = entries_.begin();
  }
  Entry& entry = entries_.front();
  entry.failures = now - entry.last >= kForgetAfter ? 1 : entry.failures + 1;
  entry.last = now;
  entry.delay = entry.failures > kFree ? first : Duration::zero();
  for (int i = kFree + 1; i < entry.failures && entry.delay < kMaxDelay; ++i) entry.delay *= 2;
  entry.delay = std::min(entry.delay, kMaxDelay);
  return entry.delay;
}

TimePoint LoginFailures::HeldUntil(const IpAddress& address, std::string_view user) const {
  const std::string key = NetworkOf(address) + std::string(user);
  MutexLock lock(mutex_);
  const auto found = places_.find(key);
  return found == places_.end() ? TimePoint() : found->second->last + found->second->delay;
}

size_t LoginFailures::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace pgweir::proxy
