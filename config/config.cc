#include "config/config.h"

namespace pgweir::config {

const Database* Config::FindDatabase(std::string_view name) const {
  auto it = databases.find(name);
  if (it == databases.end()) it = databases.find("*");
  return it == databases.end() ? nullptr : &it->second;
}

Pool Config::PoolFor(const Database& database, std::string_view user) const {
  const auto it = users.find(user);
  return it == users.end() ? database.pool : Overlay(database.pool, it->second);
}

Pool Overlay(Pool pool, const PoolOverride& over) {
  pool.mode = over.mode.value_or(pool.mode);
  pool.size = over.size.value_or(pool.size);
  pool.overflow = over.overflow.value_or(pool.overflow);
  pool.min_size = over.min_size.value_or(pool.min_size);
  pool.wait_timeout = over.wait_timeout.value_or(pool.wait_timeout);
  pool.recycle = over.recycle.value_or(pool.recycle);
  pool.idle_timeout = over.idle_timeout.value_or(pool.idle_timeout);
  pool.pre_ping = over.pre_ping.value_or(pool.pre_ping);
  pool.server_connect_timeout = over.server_connect_timeout.value_or(pool.server_connect_timeout);
  pool.cleanup_timeout = over.cleanup_timeout.value_or(pool.cleanup_timeout);
  return pool;
}

}  // namespace pgweir::config
