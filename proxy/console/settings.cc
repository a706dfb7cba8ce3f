#include "proxy/console/settings.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/duration.h"
#include "proxy/console/tables.h"

namespace pgweir::proxy {
namespace {

using config::Config;
using config::milliseconds;
using config::Pool;
using config::PoolOverride;

constexpr int kMaxNumber = 1'000'000;

// One line of SHOW CONFIG.
struct Setting {
  std::string_view key;
  std::function<std::string(const Config&)> read;
  std::function<bool(Config&, std::string_view)> write = nullptr;  // false: no such value
};

std::optional<int> ParseNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Seconds, as PgBouncer takes them, or with a unit, as the configuration file does.
std::optional<milliseconds> ParseTime(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!(seconds >= 0 && seconds < 1e9)) return std::nullopt;
    return milliseconds(static_cast<int64_t>(seconds * 1000));
  }
  return config::ParseDuration(text);
}

std::string TimeValue(milliseconds time) {
  if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000);
  return fmt::format("{:g}", static_cast<double>(time.count()) / 1000);
}

// [pool] holds for each database that does not say otherwise.
template <typename T>
void SetInPools(Config& config, T Pool::* member, std::optional<T> PoolOverride::* own, T value) {
  config.pool.*member = value;
  for (auto& [name, database] : config.databases) {
    if (!(database.own.*own).has_value()) database.pool.*member = value;
  }
}

Setting PoolNumber(std::string_view key, int Pool::* member, std::optional<int> PoolOverride::* own,
                   int min) {
  return {.key = key,
          .read = [member](const Config& config) { return std::to_string(config.pool.*member); },
          .write =
              [member, own, min](Config& config, std::string_view value) {
                const auto number = ParseNumber(value);
                if (!number.has_value() || *number < min || *number > kMaxNumber) return false;
                SetInPools(config, member, own, *number);
                return true;
              }};
}

Setting PoolTime(std::string_view key, milliseconds Pool::* member,
                 std::optional<milliseconds> PoolOverride::* own, milliseconds min = {}) {
  return {.key = key,
          .read = [member](const Config& config) { return TimeValue(config.pool.*member); },
          .write =
              [member, own, min](Config& config, std::string_view value) {
                const auto time = ParseTime(value);
                if (!time.has_value() || *time < min) return false;
                SetInPools(config, member, own, *time);
                return true;
              }};
}

std::string ModeValue(config::PoolMode mode) {
  if (mode == config::PoolMode::kSession) return "session";
  return mode == config::PoolMode::kTransaction ? "transaction" : "statement";
}

bool SetMode(Config& config, std::string_view value) {
  for (const auto mode :
       {config::PoolMode::kSession, config::PoolMode::kTransaction, config::PoolMode::kStatement}) {
    if (value != ModeValue(mode)) continue;
    SetInPools(config, &Pool::mode, &PoolOverride::mode, mode);
    return true;
  }
  return false;
}

bool SetMaxClients(Config& config, std::string_view value) {
  const auto number = ParseNumber(value);
  if (!number.has_value() || *number < 1 || *number > kMaxNumber) return false;
  config.listen.max_clients = *number;
  return true;
}

bool SetLoginTimeout(Config& config, std::string_view value) {
  const auto time = ParseTime(value);
  if (!time.has_value()) return false;
  config.listen.client_login_timeout = *time;
  return true;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::string FlagValue(bool flag) { return flag ? "1" : "0"; }

std::string TlsValue(config::TlsMode mode) {
  constexpr std::string_view kNames[] = {"disable", "allow",     "prefer",
                                         "require", "verify-ca", "verify-full"};
  return std::string(kNames[static_cast<size_t>(mode)]);
}

// By key, as PgBouncer shows them.
const std::vector<Setting>& Settings() {
  static const auto* const settings = new std::vector<Setting>([] {
    constexpr milliseconds kLeast{1};
    std::vector<Setting> all = {
        {"admin_users", [](const Config& c) { return Joined(c.admin.users); }},
        {"auth_dbname", [](const Config& c) { return c.auth.query_database; }},
        {"auth_file", [](const Config& c) { return c.auth.users_file; }},
        {"auth_hba_file", [](const Config& c) { return c.auth.hba_file; }},
        {"auth_ident_file", [](const Config& c) { return c.auth.ident_file; }},
        {"auth_query", [](const Config& c) { return c.auth.query; }},
        {"auth_user", [](const Config& c) { return c.auth.query_user; }},
        PoolTime("cleanup_timeout", &Pool::cleanup_timeout, &PoolOverride::cleanup_timeout, kLeast),
        PoolTime("client_idle_timeout", &Pool::client_idle_timeout,
                 &PoolOverride::client_idle_timeout),
        {"client_login_timeout",
         [](const Config& c) { return TimeValue(c.listen.client_login_timeout); }, SetLoginTimeout},
        {"client_tls_ca_file", [](const Config& c) { return c.listen.tls.ca; }},
        {"client_tls_cert_file", [](const Config& c) { return c.listen.tls.certificate; }},
        {"client_tls_key_file", [](const Config& c) { return c.listen.tls.key; }},
        {"client_tls_sslmode", [](const Config& c) { return TlsValue(c.listen.tls.mode); }},
        PoolNumber("default_pool_size", &Pool::size, &PoolOverride::size, 1),
        PoolTime("idle_transaction_timeout", &Pool::idle_transaction_timeout,
                 &PoolOverride::idle_transaction_timeout),
        {"listen_addr", [](const Config& c) { return c.listen.address; }},
        {"listen_port", [](const Config& c) { return std::to_string(c.listen.port); }},
        {"log_connections", [](const Config& c) { return FlagValue(c.log.connections); }},
        {"log_disconnections", [](const Config& c) { return FlagValue(c.log.disconnections); }},
        {"log_stats", [](const Config& c) { return FlagValue(c.log.stats); }},
        {"logfile", [](const Config& c) { return c.log.file; }},
        {"max_client_conn", [](const Config& c) { return std::to_string(c.listen.max_clients); },
         SetMaxClients},
        PoolNumber("max_db_client_connections", &Pool::max_db_client_connections,
                   &PoolOverride::max_db_client_connections, 0),
        PoolNumber("max_db_connections", &Pool::max_db_connections,
                   &PoolOverride::max_db_connections, 0),
        PoolNumber("max_node_connections", &Pool::max_node_connections,
                   &PoolOverride::max_node_connections, 0),
        PoolNumber("max_prepared_statements", &Pool::max_prepared_statements,
                   &PoolOverride::max_prepared_statements, 1),
        PoolNumber("max_user_client_connections", &Pool::max_user_client_connections,
                   &PoolOverride::max_user_client_connections, 0),
        PoolNumber("max_user_connections", &Pool::max_user_connections,
                   &PoolOverride::max_user_connections, 0),
        PoolNumber("min_pool_size", &Pool::min_size, &PoolOverride::min_size, 0),
        {"pidfile", [](const Config& c) { return c.process.pid_file; }},
        {"pool_mode", [](const Config& c) { return ModeValue(c.pool.mode); }, SetMode},
        PoolTime("query_timeout", &Pool::query_timeout, &PoolOverride::query_timeout),
        PoolTime("query_wait_notify", &Pool::query_wait_notify, &PoolOverride::query_wait_notify),
        PoolTime("query_wait_timeout", &Pool::wait_timeout, &PoolOverride::wait_timeout),
        PoolNumber("reserve_pool_size", &Pool::overflow, &PoolOverride::overflow, 0),
        PoolTime("server_connect_timeout", &Pool::server_connect_timeout,
                 &PoolOverride::server_connect_timeout, kLeast),
        PoolTime("server_idle_timeout", &Pool::idle_timeout, &PoolOverride::idle_timeout),
        PoolTime("server_lifetime", &Pool::recycle, &PoolOverride::recycle),
        {"stats_period", [](const Config& c) { return TimeValue(c.log.stats_period); }},
        {"stats_users", [](const Config& c) { return Joined(c.admin.stats_users); }},
        PoolTime("transaction_timeout", &Pool::transaction_timeout,
                 &PoolOverride::transaction_timeout),
        {"unix_socket_dir", [](const Config& c) { return c.listen.unix_socket_dir; }},
        {"workers", [](const Config& c) { return std::to_string(c.listen.workers); }},
    };
    std::sort(all.begin(), all.end(),
              [](const Setting& a, const Setting& b) { return a.key < b.key; });
    return all;
  }());
  return *settings;
}

// What the loader refuses of a file.
bool Consistent(const Config& config) {
  const auto fits = [](const Pool& pool) { return pool.min_size <= pool.size; };
  if (!fits(config.pool)) return false;
  for (const auto& [name, database] : config.databases) {
    if (!fits(database.pool)) return false;
    for (const auto& [user, over] : config.users) {
      if (!fits(config::Overlay(database.pool, over))) return false;
    }
  }
  return true;
}

}  // namespace

Status ChangeSetting(Config& config, std::string_view key, std::string_view value) {
  const auto& settings = Settings();
  const auto it = std::find_if(settings.begin(), settings.end(),
                               [&](const Setting& setting) { return setting.key == key; });
  if (it == settings.end()) {
    return Errorf(sqlstate::kProtocolViolation, "unknown configuration key: {}", key);
  }
  if (it->write == nullptr) {
    return Errorf(sqlstate::kProtocolViolation,
                  "{} can't be set here: change the configuration file", key);
  }
  if (!it->write(config, value)) {
    return Errorf(sqlstate::kProtocolViolation, "invalid value for {}: '{}'", key, value);
  }
  if (Consistent(config)) return absl::OkStatus();
  return Errorf(sqlstate::kProtocolViolation,
                "{} = {} does not fit: min_pool_size must not exceed default_pool_size", key,
                value);
}

net::Task<Rows> FillConfig(const View& view) {
  const Config defaults;
  Rows rows;
  for (const Setting& setting : Settings()) {
    rows.emplace_back()
        .Text(setting.key)
        .Text(setting.read(view.config()))
        .Text(setting.read(defaults))
        .Text(setting.write == nullptr ? "no" : "yes");
  }
  co_return rows;
}

}  // namespace pgweir::proxy
