#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace pgweir::proxy {

using WallTime = std::chrono::system_clock::time_point;

// What a database says of a user: a secret in one of the users file's notations, and until when it
// is good. No secret: the user is unknown, or has none.
struct UserSecret {
  std::optional<std::string> text = {};
  WallTime valid_until = WallTime::max();
  TimePoint asked_at = {};

  // The secret, unless its time is over.
  const std::string* At(WallTime now) const {
    return text.has_value() && !text->empty() && now < valid_until ? &*text : nullptr;
  }
};

// A timestamp as PostgreSQL writes it with DateStyle ISO: date, time, fraction, offset (UTC when
// there is none), "infinity". A year beyond what the clock can say is WallTime::max(); one before
// Christ is over. None for anything else.
std::optional<WallTime> ParseTimestamp(std::string_view text);

// Secrets that were asked for, for a while. Of too many, those used longest ago go first.
// Thread-safe.
class SecretCache {
 public:
  explicit SecretCache(size_t max_entries = 10'000) : max_entries_(max_entries) {}

  std::optional<UserSecret> Find(std::string_view database, std::string_view user, TimePoint now);
  void Put(std::string_view database, std::string_view user, UserSecret secret, TimePoint until);
  void Drop(std::string_view database, std::string_view user);
  void Clear();
  size_t size() const;

 private:
  struct Entry {
    std::string key;
    UserSecret secret;
    TimePoint until;
  };
  using Place = std::list<Entry>::iterator;

  void Erase(Place place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_entries_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the one used last first
  absl::flat_hash_map<std::string, Place, StringHash, StringEq> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
