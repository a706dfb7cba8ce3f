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

Duration LoginFailures::Note(const IpAddress& address, Duration first, TimePoint now) {
  if (first == Duration::zero()) return first;
  std::string network = NetworkOf(address);
  MutexLock lock(mutex_);
  const auto found = places_.find(network);
  if (found != places_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    if (entries_.size() >= max_addresses_) {
      places_.erase(entries_.back().network);
      entries_.pop_back();
    }
    entries_.push_front({.network = network, .failures = 0, .last = now});
    places_[std::move(network)] = entries_.begin();
  }
  Entry& entry = entries_.front();
  entry.failures = now - entry.last >= kForgetAfter ? 1 : entry.failures + 1;
  entry.last = now;
  Duration delay = entry.failures > kFree ? first : Duration::zero();
  for (int i = kFree + 1; i < entry.failures && delay < kMaxDelay; ++i) delay *= 2;
  return std::min(delay, kMaxDelay);
}

size_t LoginFailures::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace pgweir::proxy
