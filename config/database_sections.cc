#include <array>

#include "config/sections.h"

// The tables that say where clients are led and how many backends they may hold.

namespace pgweir::config {
namespace {

constexpr int kMaxPoolSize = 100'000;
constexpr int kMaxClients = 1'000'000;
constexpr milliseconds kLeast{1};  // where "0s" has no meaning

constexpr std::array<std::pair<std::string_view, PoolMode>, 3> kPoolModes{
    {{"session", PoolMode::kSession},
     {"transaction", PoolMode::kTransaction},
     {"statement", PoolMode::kStatement}}};

constexpr std::array<std::pair<std::string_view, OnSessionState>, 3> kOnSessionState{
    {{"pin", OnSessionState::kPin},
     {"reject", OnSessionState::kReject},
     {"allow", OnSessionState::kAllow}}};

PoolOverride ReadOverride(TableReader& reader) {
  PoolOverride over;
  over.mode = reader.Choice<PoolMode>("mode", kPoolModes);
  over.size = reader.Int("size", 1, kMaxPoolSize);
  over.overflow = reader.Int("overflow", 0, kMaxPoolSize);
  over.min_size = reader.Int("min_size", 0, kMaxPoolSize);
  over.max_db_connections = reader.Int("max_db_connections", 0, kMaxPoolSize);
  over.max_user_connections = reader.Int("max_user_connections", 0, kMaxPoolSize);
  over.max_node_connections = reader.Int("max_node_connections", 0, kMaxPoolSize);
  over.max_db_client_connections = reader.Int("max_db_client_connections", 0, kMaxClients);
  over.max_user_client_connections = reader.Int("max_user_client_connections", 0, kMaxClients);
  over.wait_timeout = reader.Time("wait_timeout");
  over.recycle = reader.Time("recycle");
  over.idle_timeout = reader.Time("idle_timeout");
  over.pre_ping = reader.Bool("pre_ping");
  over.max_prepared_statements = reader.Int("max_prepared_statements", 1, 1'000'000);
  over.on_session_state = reader.Choice<OnSessionState>("on_session_state", kOnSessionState);
  over.server_connect_timeout = reader.Time("server_connect_timeout", kLeast);
  over.cleanup_timeout = reader.Time("cleanup_timeout", kLeast);
  over.query_timeout = reader.Time("query_timeout");
  over.transaction_timeout = reader.Time("transaction_timeout");
  over.idle_transaction_timeout = reader.Time("idle_transaction_timeout");
  over.client_idle_timeout = reader.Time("client_idle_timeout");
  over.query_wait_notify = reader.Time("query_wait_notify");
  over.health_check_interval = reader.Time("health_check_interval");
  reader.RejectUnknown();
  return over;
}

// Whether `min_size` fits into `size` in `pool`, which the reader's table has been laid over.
bool CheckMinSize(TableReader& reader, const Pool& pool, std::string_view whose) {
  if (pool.min_size <= pool.size) return true;
  reader.Fault(
      reader.Has("min_size") ? "min_size" : "size",
      fmt::format("min_size ({}) must not exceed size ({}){}", pool.min_size, pool.size, whose));
  return false;
}

Database ReadDatabase(const std::string& name, TableReader& reader,
                      const std::filesystem::path& folder, const Pool& base) {
  Database database;
  database.name = name;
  ReadNodes(reader, folder, database);
  TableReader pool = reader.Table("pool");
  database.own = ReadOverride(pool);
  database.pool = Overlay(base, database.own);
  if (reader.Has("pool")) CheckMinSize(pool, database.pool, "");
  return database;
}

// One fault a user says enough.
void CheckUserPool(TableReader& reader, const PoolOverride& over, const Config& config) {
  if (!over.size.has_value() && !over.min_size.has_value()) return;
  for (const auto& [name, database] : config.databases) {
    const std::string whose = fmt::format(" in databases.{}", ShownKey(name));
    if (!CheckMinSize(reader, Overlay(database.pool, over), whose)) return;
  }
}

}  // namespace

void ReadPool(TableReader reader, Pool& pool) {
  pool = Overlay(pool, ReadOverride(reader));
  CheckMinSize(reader, pool, "");
}

void ReadDatabases(TableReader reader, const std::filesystem::path& folder, Config& config) {
  auto tables = reader.NamedTables();
  if (reader.IsEmpty()) reader.Fault("must have an entry: [databases.NAME] with a primary");
  for (auto& [name, table] : tables) {
    if (config.IsConsole(name)) {
      table.Fault("is the console's name: see admin.database");
    }
    config.databases.emplace(name, ReadDatabase(name, table, folder, config.pool));
    table.RejectUnknown();
  }
}

void ReadUsers(TableReader reader, Config& config) {
  for (auto& [name, table] : reader.NamedTables()) {
    TableReader pool = table.Table("pool");
    table.RejectUnknown();
    const PoolOverride over = ReadOverride(pool);
    CheckUserPool(pool, over, config);
    config.users.emplace(name, over);
  }
}

}  // namespace pgweir::config
