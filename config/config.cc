#include "config/config.h"

#include <algorithm>
#include <ranges>

namespace pgweir::config {

const Node* Database::FindNode(std::string_view node_name) const {
  const std::span<const Node> all = all_nodes();
  const auto found =
      std::ranges::find_if(all, [&](const Node& one) { return one.name == node_name; });
  return found == all.end() ? nullptr : &*found;
}

const Database* Config::FindDatabase(std::string_view name) const {
  auto it = databases.find(name);
  if (it == databases.end()) it = databases.find("*");
  return it == databases.end() ? nullptr : &it->second;
}

AuthQuery Config::AuthQueryFor(std::string_view name) const {
  const Database* database = FindDatabase(name);
  if (database != nullptr && database->auth_query.has_value()) return *database->auth_query;
  return {auth.query, auth.query_user, auth.query_database};
}

bool Config::AsksForSecrets() const {
  if (!auth.query.empty()) return true;
  return std::any_of(databases.begin(), databases.end(), [](const auto& entry) {
    return entry.second.auth_query.has_value() && !entry.second.auth_query->sql.empty();
  });
}

bool Config::IsConsole(std::string_view name) const {
  return name == admin.database || name == kConsoleAlias;
}

Pool Config::PoolFor(const Database& database, std::string_view user) const {
  const auto it = users.find(user);
  return it == users.end() ? database.pool : Overlay(database.pool, it->second);
}

Pool Config::UserPool(std::string_view user) const {
  const auto it = users.find(user);
  return it == users.end() ? pool : Overlay(pool, it->second);
}

int Config::MaxNodeConnections(std::string_view node) const {
  int least = 0;
  for (const auto& [name, database] : databases) {
    const int limit = database.pool.max_node_connections;
    if (limit == 0 || (least != 0 && limit >= least)) continue;
    const bool has = std::any_of(database.nodes.begin(), database.nodes.end(),
                                 [&](const Node& other) { return other.name == node; });
    if (has) least = limit;
  }
  return least;
}

Pool Overlay(Pool pool, const PoolOverride& over) {
  pool.mode = over.mode.value_or(pool.mode);
  pool.size = over.size.value_or(pool.size);
  pool.overflow = over.overflow.value_or(pool.overflow);
  pool.min_size = over.min_size.value_or(pool.min_size);
  pool.max_db_connections = over.max_db_connections.value_or(pool.max_db_connections);
  pool.max_user_connections = over.max_user_connections.value_or(pool.max_user_connections);
  pool.max_node_connections = over.max_node_connections.value_or(pool.max_node_connections);
  pool.max_db_client_connections =
      over.max_db_client_connections.value_or(pool.max_db_client_connections);
  pool.max_user_client_connections =
      over.max_user_client_connections.value_or(pool.max_user_client_connections);
  pool.wait_timeout = over.wait_timeout.value_or(pool.wait_timeout);
  pool.recycle = over.recycle.value_or(pool.recycle);
  pool.idle_timeout = over.idle_timeout.value_or(pool.idle_timeout);
  pool.pre_ping = over.pre_ping.value_or(pool.pre_ping);
  pool.max_prepared_statements =
      over.max_prepared_statements.value_or(pool.max_prepared_statements);
  pool.on_session_state = over.on_session_state.value_or(pool.on_session_state);
  pool.server_connect_timeout = over.server_connect_timeout.value_or(pool.server_connect_timeout);
  pool.cleanup_timeout = over.cleanup_timeout.value_or(pool.cleanup_timeout);
  pool.query_timeout = over.query_timeout.value_or(pool.query_timeout);
  pool.transaction_timeout = over.transaction_timeout.value_or(pool.transaction_timeout);
  pool.idle_transaction_timeout =
      over.idle_transaction_timeout.value_or(pool.idle_transaction_timeout);
  pool.client_idle_timeout = over.client_idle_timeout.value_or(pool.client_idle_timeout);
  pool.query_wait_notify = over.query_wait_notify.value_or(pool.query_wait_notify);
  pool.health_check_interval = over.health_check_interval.value_or(pool.health_check_interval);
  return pool;
}

}  // namespace pgweir::config
