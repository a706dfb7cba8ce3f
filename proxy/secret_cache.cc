#include "proxy/secret_cache.h"

namespace pgweir::proxy {
namespace {

// Neither name has a NUL in it.
std::string KeyOf(std::string_view database, std::string_view user) {
  std::string key(database);
  key += '\0';
  key += user;
  return key;
}

}  // namespace

std::optional<UserSecret> SecretCache::Find(std::string_view database, std::string_view user,
                                            TimePoint now) {
  const std::string key = KeyOf(database, user);
  MutexLock lock(mutex_);
  const auto it = places_.find(key);
  if (it == places_.end()) return std::nullopt;
  const Place place = it->second;
  if (now >= place->until) {
    Erase(place);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, place);
  return place->secret;
}

void SecretCache::Put(std::string_view database, std::string_view user, UserSecret secret,
                      TimePoint until) {
  std::string key = KeyOf(database, user);
  MutexLock lock(mutex_);
  if (const auto it = places_.find(key); it != places_.end()) Erase(it->second);
  if (entries_.size() >= max_entries_) Erase(std::prev(entries_.end()));
  entries_.push_front({key, std::move(secret), until});
  places_.emplace(std::move(key), entries_.begin());
}

void SecretCache::Drop(std::string_view database, std::string_view user) {
  const std::string key = KeyOf(database, user);
  MutexLock lock(mutex_);
  if (const auto it = places_.find(key); it != places_.end()) Erase(it->second);
}

void SecretCache::Clear() {
  MutexLock lock(mutex_);
  places_.clear();
  entries_.clear();
}

size_t SecretCache::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

void SecretCache::Erase(Place place) {
  places_.erase(place->key);
  entries_.erase(place);
}

}  // namespace pgweir::proxy
