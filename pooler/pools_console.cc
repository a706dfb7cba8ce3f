// The pools as operators see them and act on them.

#include <algorithm>
#include <tuple>

#include "pooler/pools.h"

namespace pgweir::pooler {

bool Pools::IsPaused(const std::string& database) const {
  return all_paused_ || paused_.contains(database);
}

void Pools::SetPaused(const std::string& database, bool paused) {
  MutexLock lock(mutex_);
  if (database.empty()) {
    all_paused_ = paused;
  } else if (paused) {
    paused_.insert(database);
  } else {
    paused_.erase(database);
  }
  for (const Listed& one : ListLocked(database)) one.pool->SetPaused(IsPaused(one.database));
}

bool Pools::paused(const std::string& database) const {
  MutexLock lock(mutex_);
  return database.empty() ? all_paused_ : IsPaused(database);
}

bool Pools::paused_by_name(const std::string& database) const {
  MutexLock lock(mutex_);
  return paused_.contains(database);
}

bool Pools::any_paused() const {
  MutexLock lock(mutex_);
  return all_paused_ || !paused_.empty();
}

void Pools::Reconnect(const std::string& database) {
  for (const Listed& one : List(database)) one.pool->Reconnect();
}

void Pools::SetDisabled(const std::string& database, bool disabled) {
  MutexLock lock(mutex_);
  if (disabled) {
    disabled_.insert(database);
  } else {
    disabled_.erase(database);
  }
}

bool Pools::disabled(const std::string& database) const {
  MutexLock lock(mutex_);
  return disabled_.contains(database);
}

std::vector<Pools::Listed> Pools::List(const std::string& database) const {
  MutexLock lock(mutex_);
  return ListLocked(database);
}

std::vector<Pools::Listed> Pools::ListLocked(const std::string& database) const {
  std::vector<Listed> listed;
  const auto add = [&](const Key& key, std::shared_ptr<Pool> pool, bool dedicated) {
    if (pool == nullptr || (!database.empty() && key.database != database)) return;
    listed.push_back({key.node, key.database, key.user, key.server, std::move(pool), dedicated});
  };
  for (const auto& [key, entry] : pools_) add(key, entry.pool, false);
  for (const Dedicated& one : dedicated_) add(one.key, one.pool.lock(), true);
  std::sort(listed.begin(), listed.end(), [](const Listed& a, const Listed& b) {
    return std::tie(a.dedicated, a.database, a.user, a.server) <
           std::tie(b.dedicated, b.database, b.user, b.server);
  });
  return listed;
}

Pools::Numbers Pools::backends_of(Quota::Kind kind) const {
  Numbers numbers;
  for (const auto& quota : quotas_->All()) {
    if (quota->kind() == kind) numbers[quota->name()] = quotas_->numbers(*quota).used;
  }
  return numbers;
}

}  // namespace pgweir::pooler
