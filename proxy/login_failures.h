#pragma once

#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/mutex.h"

namespace pgweir::proxy {

// Failed logins by where they came from, so that guessing passwords takes long: from the third on
// each is answered later than the one before. Who does not wait for the answer gains nothing: the
// next login of that user from there is not looked at before. Bounded: what failed longest ago is
// forgotten first. Thread-safe.
class LoginFailures {
 public:
  // An address that has not failed for this long starts anew.
  static constexpr Duration kForgetAfter = std::chrono::minutes(5);
  static constexpr Duration kMaxDelay = std::chrono::seconds(10);
  static constexpr int kFree = 2;  // failures that cost nothing

  explicit LoginFailures(size_t max_entries = 20'000) : max_entries_(max_entries) {}

  // Counts a failure; how long its answer is to be held back. `first` is the least delay, which
  // doubles with each further failure.
  Duration Note(const IpAddress& address, std::string_view user, Duration first, TimePoint now);
  // When a login of this user from there may be looked at; the epoch = at once.
  TimePoint HeldUntil(const IpAddress& address, std::string_view user) const;
  size_t size() const;

 private:
  struct Entry {
    std::string key;  // a network, or a network and a user
    int failures = 0;
    TimePoint last;
    Duration delay{};
  };
  Duration Count(std::string key, Duration first, TimePoint now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_entries_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the latest failure first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
