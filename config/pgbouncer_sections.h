#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/ini_value.h"
#include "config/users.h"

// The sections of a pgbouncer.ini, read into the values that they give.

namespace pgweir::config {

// What [pgbouncer] says, PgBouncer's defaults where it says nothing.
struct GeneralSettings {
  GeneralSettings();

  Config config;
  Users users;             // of auth_file, once checked
  std::string auth_query;  // asked where there is an auth_user
  TcpKeepalive server_tcp{.idle = {}, .interval = {}, .count = 0};  // what is given of it
  bool any_user = false;                                            // auth_type any
  bool uses_reserve = true;                                         // reserve_pool_timeout isn't 0
  std::string server_tls = "prefer";
  std::string server_ca, server_certificate, server_key;
  std::string server_protocols_from, server_protocols_to;  // as libpq names them; "" = its own
  std::map<std::string, IniPlace, std::less<>> places;     // of the keys that were given

  // Where a fault of this key is told, else of what stands first.
  IniPlace PlaceOf(std::string_view key) const;
};

// One key of [pgbouncer] that has an effect; false when there is none of this name.
bool ReadGeneralKey(std::string_view key, const IniValue& value, GeneralSettings& settings);
// What can be judged only when all keys are known: files, and keys that depend on others.
void CheckGeneral(GeneralSettings& settings, IniReport& report);

// One line of the section, put into `settings.config`; what it leaves out comes from `settings`.
void ReadDatabaseLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report);
void ReadUserLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report);
void ReadPeerLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report);

// Names of the keys that have an effect.
std::vector<std::string_view> ServedGeneralKeys();
std::vector<std::string_view> ServedDatabaseKeys();
std::vector<std::string_view> ServedUserKeys();
std::vector<std::string_view> ServedPeerKeys();

inline constexpr int kMostPeerId = 16383;
inline constexpr int kMostPoolSize = 100'000;
inline constexpr int kMostClients = 1'000'000;
std::optional<PoolMode> ReadPoolMode(const IniValue& value);
// 0 makes PgBouncer use a connection once; to us it would mean "never".
std::optional<milliseconds> ReadLifetime(const IniValue& value);

}  // namespace pgweir::config
