#pragma once

#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/mutex.h"

namespace pgweir::proxy {

// Failed logins by where they came from, so that guessing passwords takes long: from the third on
// each is answered later than the one before. Bounded: the addresses that failed longest ago are
// forgotten first. Thread-safe.
class LoginFailures {
 public:
  // An address that has not failed for this long starts anew.
  static constexpr Duration kForgetAfter = std::chrono::minutes(5);
  static constexpr Duration kMaxDelay = std::chrono::seconds(10);
  static constexpr int kFree = 2;  // failures that cost nothing

  explicit LoginFailures(size_t max_addresses = 10'000) : max_addresses_(max_addresses) {}

  // Counts a failure; how long its answer is to be held back. `first` is the least delay, which
  // doubles with each further failure.
  Duration Note(const IpAddress& address, Duration first, TimePoint now);
  size_t size() const;

 private:
  struct Entry {
    std::string network;
    int failures = 0;
    TimePoint last;
  };

  const size_t max_addresses_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the latest failure first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
