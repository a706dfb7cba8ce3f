#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <span>

#include "config/auth_rules.h"
#include "config/file.h"
#include "config/pgbouncer_keys.h"
#include "config/pgbouncer_sections.h"
#include "config/syslog_facilities.h"
#include "config/users.h"

// [pgbouncer].

namespace pgweir::config {
namespace {

template <typename E, size_t N>
using Names = std::array<std::pair<std::string_view, E>, N>;

constexpr Names<PoolMode, 3> kPoolModes{{{"session", PoolMode::kSession},
                                         {"transaction", PoolMode::kTransaction},
                                         {"statement", PoolMode::kStatement}}};

// PgBouncer's verify-full looks no further than its verify-ca.
constexpr Names<TlsMode, 6> kClientTls{{{"disable", TlsMode::kDisable},
                                        {"allow", TlsMode::kAllow},
                                        {"prefer", TlsMode::kPrefer},
                                        {"require", TlsMode::kRequire},
                                        {"verify-ca", TlsMode::kVerifyCa},
                                        {"verify-full", TlsMode::kVerifyCa}}};

constexpr Names<std::string_view, 6> kServerTls{{{"disable", "disable"},
                                                 {"allow", "allow"},
                                                 {"prefer", "prefer"},
                                                 {"require", "require"},
                                                 {"verify-ca", "verify-ca"},
                                                 {"verify-full", "verify-full"}}};

constexpr AuthWords kAuthWords{
    .tls = "a client_tls_sslmode other than disable, and a client_tls_ca_file",
    .hba_method = "auth_type hba",
    .ident_file = "auth_ident_file",
};

// The kernel's bounds.
constexpr int kMostProbeSeconds = 32'767;
constexpr int kMostProbes = 127;
// A unix socket's path, "/.s.PGSQL.NNNNN" included, has at most 107 characters.
constexpr size_t kMaxSocketFolder = 107 - 15;

// PgBouncer's relative paths start at the folder in which it was started.
std::string Anchored(const std::string& path) {
  std::error_code error;
  return path.empty() ? "" : std::filesystem::absolute(path, error).lexically_normal().string();
}

template <typename T>
void Put(const std::optional<T>& value, T& into) {
  if (value.has_value()) into = *value;
}

void ReadAuthType(const IniValue& value, GeneralSettings& settings) {
  const auto is = [&value](std::string_view name) {
    return EqualsIgnoringCase(value.text(), name);
  };
  Auth& auth = settings.config.auth;
  settings.any_user = is("any");
  auth.known_users_only = !is("any");
  settings.config.admin.everybody = is("any");
  if (is("any") || is("trust")) return void(auth.method = AuthMethod::kTrust);
  if (is("plain")) return void(auth.method = AuthMethod::kPassword);
  if (is("md5")) return void(auth.method = AuthMethod::kMd5);
  if (is("scram-sha-256")) return void(auth.method = AuthMethod::kScramSha256);
  if (is("cert")) return void(auth.method = AuthMethod::kCert);
  if (is("hba")) return void(auth.method = AuthMethod::kHba);
  if (is("pam") || is("ldap") || is("gss")) {
    return value.Fault("not served; use scram-sha-256 or md5 with an auth_file");
  }
  value.Fault("must be one of any, trust, plain, md5, scram-sha-256, cert, hba");
}

void ReadUnixSocketDir(const IniValue& value, GeneralSettings& settings) {
  if (!value.text().empty() && value.text()[0] == '@') {
    return value.Fault("sockets in the abstract namespace are not served; name a folder");
  }
  const std::string folder = Anchored(value.text());
  if (folder.size() > kMaxSocketFolder) {
    return value.Fault(
        fmt::format("must have at most {} characters as an absolute path", kMaxSocketFolder));
  }
  settings.config.listen.unix_socket_dir = folder;
}

void ReadVerbose(const IniValue& value, GeneralSettings& settings) {
  const auto verbose = value.Int(0, 10);
  if (!verbose.has_value()) return;
  constexpr LogLevel kLevels[] = {LogLevel::kInfo, LogLevel::kDebug, LogLevel::kTrace};
  settings.config.log.level = kLevels[std::min(*verbose, 2)];
}

void ReadFacility(const IniValue& value, GeneralSettings& settings) {
  if (std::ranges::find(kSyslogFacilities, value.text()) == kSyslogFacilities.end()) {
    return value.Fault(fmt::format("must be one of {}", fmt::join(kSyslogFacilities, " ")));
  }
  settings.config.log.syslog_facility = value.text();
}

// 0 forbids statements by name in PgBouncer; here they need no permission.
void ReadPreparedStatements(const IniValue& value, GeneralSettings& settings) {
  const auto number = value.Int(0, 1'000'000);
  if (number.value_or(0) > 0) settings.config.pool.max_prepared_statements = *number;
}

void ReadCheckQuery(const IniValue& value, GeneralSettings& settings) {
  settings.config.pool.pre_ping = !value.text().empty();
  if (value.text().empty() || value.text() == "<empty>") return;
  if (EqualsIgnoringCase(value.text().substr(0, 8), "select 1") && value.text().size() <= 9) return;
  value.Warn("no meaning: connections are checked with an empty query");
}

void ReadIgnoredParameters(const IniValue& value, GeneralSettings& settings) {
  auto& names = settings.config.listen.ignore_startup_parameters;
  names = value.List();
  for (std::string& name : names) {
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
}

// The versions that a tls_protocols list names, as bits: 1.0, 1.1, 1.2, 1.3. 0 after a fault.
unsigned ReadProtocols(const IniValue& value) {
  constexpr Names<unsigned, 8> kNames{{{"tlsv1.0", 1},
                                       {"tlsv1.1", 2},
                                       {"tlsv1.2", 4},
                                       {"tlsv1.3", 8},
                                       {"secure", 12},
                                       {"default", 12},
                                       {"all", 15},
                                       {"legacy", 15}}};
  unsigned versions = 0;
  for (const std::string& name : value.List()) {
    unsigned found = 0;
    for (const auto& [known, bits] : kNames) found |= EqualsIgnoringCase(name, known) ? bits : 0;
    if (found == 0) {
      value.Fault("must be secure, all, or a list of tlsv1.0, tlsv1.1, tlsv1.2, tlsv1.3");
      return 0;
    }
    versions |= found;
  }
  if (versions == 0) value.Fault("must not be empty");
  return versions;
}

void ReadClientProtocols(const IniValue& value, GeneralSettings&) {
  const unsigned versions = ReadProtocols(value);
  if (versions == 0) return;
  if ((versions & 12) != 12) {
    return value.Fault("clients may use TLS 1.2 and 1.3, neither can be switched off");
  }
  if (versions != 12) value.Warn("no meaning: TLS 1.0 and 1.1 are never used");
}

void ReadServerProtocols(const IniValue& value, GeneralSettings& settings) {
  constexpr std::string_view kNames[] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
  const unsigned versions = ReadProtocols(value);
  if (versions == 0) return;
  size_t first = 0;
  size_t last = 3;
  while ((versions >> first & 1) == 0) ++first;
  while ((versions >> last & 1) == 0) --last;
  settings.server_protocols_from = kNames[first];
  settings.server_protocols_to = last == 3 ? "" : kNames[last];
}

// The keys that are a value of their own, by type.

struct PoolNumber {
  std::string_view name;
  int Pool::* member;
  int min, max;
};
constexpr PoolNumber kPoolNumbers[] = {
    {"default_pool_size", &Pool::size, 1, kMostPoolSize},
    {"min_pool_size", &Pool::min_size, 0, kMostPoolSize},
    {"reserve_pool_size", &Pool::overflow, 0, kMostPoolSize},
    {"max_db_connections", &Pool::max_db_connections, 0, kMostPoolSize},
    {"max_user_connections", &Pool::max_user_connections, 0, kMostPoolSize},
    {"max_db_client_connections", &Pool::max_db_client_connections, 0, kMostClients},
    {"max_user_client_connections", &Pool::max_user_client_connections, 0, kMostClients},
};

struct PoolTime {
  std::string_view name;
  milliseconds Pool::* member;
};
constexpr PoolTime kPoolTimes[] = {
    {"client_idle_timeout", &Pool::client_idle_timeout},
    {"idle_transaction_timeout", &Pool::idle_transaction_timeout},
    {"query_timeout", &Pool::query_timeout},
    {"query_wait_notify", &Pool::query_wait_notify},
    {"query_wait_timeout", &Pool::wait_timeout},
    {"server_connect_timeout", &Pool::server_connect_timeout},
    {"server_idle_timeout", &Pool::idle_timeout},
    {"transaction_timeout", &Pool::transaction_timeout},
};

struct Place {
  std::string_view name;
  std::string& (*of)(GeneralSettings& settings);
};
using S = GeneralSettings;
constexpr Place kPaths[] = {
    {"auth_file", [](S& s) -> std::string& { return s.config.auth.users_file; }},
    {"auth_hba_file", [](S& s) -> std::string& { return s.config.auth.hba_file; }},
    {"auth_ident_file", [](S& s) -> std::string& { return s.config.auth.ident_file; }},
    {"client_tls_ca_file", [](S& s) -> std::string& { return s.config.listen.tls.ca; }},
    {"client_tls_cert_file", [](S& s) -> std::string& { return s.config.listen.tls.certificate; }},
    {"client_tls_key_file", [](S& s) -> std::string& { return s.config.listen.tls.key; }},
    {"logfile", [](S& s) -> std::string& { return s.config.log.file; }},
    {"pidfile", [](S& s) -> std::string& { return s.config.process.pid_file; }},
    {"server_tls_ca_file", [](S& s) -> std::string& { return s.server_ca; }},
    {"server_tls_cert_file", [](S& s) -> std::string& { return s.server_certificate; }},
    {"server_tls_key_file", [](S& s) -> std::string& { return s.server_key; }},
};
constexpr Place kTexts[] = {
    {"auth_dbname", [](S& s) -> std::string& { return s.config.auth.query_database; }},
    {"auth_query", [](S& s) -> std::string& { return s.auth_query; }},
    {"auth_user", [](S& s) -> std::string& { return s.config.auth.query_user; }},
    {"listen_addr", [](S& s) -> std::string& { return s.config.listen.address; }},
    {"syslog_ident", [](S& s) -> std::string& { return s.config.log.syslog_ident; }},
    {"unix_socket_group", [](S& s) -> std::string& { return s.config.listen.unix_socket_group; }},
    {"user", [](S& s) -> std::string& { return s.config.process.user; }},
};

struct Flag {
  std::string_view name;
  bool& (*of)(GeneralSettings& settings);
};
constexpr Flag kFlags[] = {
    {"application_name_add_host",
     [](S& s) -> bool& { return s.config.listen.application_name_add_host; }},
    {"log_connections", [](S& s) -> bool& { return s.config.log.connections; }},
    {"log_disconnections", [](S& s) -> bool& { return s.config.log.disconnections; }},
    {"log_stats", [](S& s) -> bool& { return s.config.log.stats; }},
    {"so_reuseport", [](S& s) -> bool& { return s.config.listen.so_reuseport; }},
    {"syslog", [](S& s) -> bool& { return s.config.log.syslog; }},
};

// Those that take a thought each.

void ReadLoginTimeout(const IniValue& value, GeneralSettings& settings) {
  Put(value.Seconds(), settings.config.listen.client_login_timeout);
}
void ReadClientTls(const IniValue& value, GeneralSettings& settings) {
  Put(value.Choice<TlsMode>(kClientTls), settings.config.listen.tls.mode);
}
void ReadServerTls(const IniValue& value, GeneralSettings& settings) {
  const auto mode = value.Choice<std::string_view>(kServerTls);
  if (mode.has_value()) settings.server_tls = *mode;
}
void ReadPort(const IniValue& value, GeneralSettings& settings) {
  const auto port = value.Int(1, 65535);
  if (port.has_value()) settings.config.listen.port = static_cast<uint16_t>(*port);
}
void ReadMaxClients(const IniValue& value, GeneralSettings& settings) {
  Put(value.Int(1, kMostClients), settings.config.listen.max_clients);
}
void ReadPeerId(const IniValue& value, GeneralSettings& settings) {
  Put(value.Int(0, kMostPeerId), settings.config.peer_id);
}
void ReadGeneralPoolMode(const IniValue& value, GeneralSettings& settings) {
  Put(ReadPoolMode(value), settings.config.pool.mode);
}
void ReadGeneralLifetime(const IniValue& value, GeneralSettings& settings) {
  Put(ReadLifetime(value), settings.config.pool.recycle);
}
void ReadSocketMode(const IniValue& value, GeneralSettings& settings) {
  Put(value.Int(0, 0777), settings.config.listen.unix_socket_mode);
}
// The reserve is used as soon as clients wait; without a time it is not used at all.
void ReadReserveTimeout(const IniValue& value, GeneralSettings& settings) {
  const auto wait = value.Seconds();
  if (wait.has_value()) settings.uses_reserve = wait->count() > 0;
}

void ReadAdmins(const IniValue& value, GeneralSettings& settings) {
  settings.config.admin.users = value.List();
}
void ReadStatsUsers(const IniValue& value, GeneralSettings& settings) {
  settings.config.admin.stats_users = value.List();
}
void ReadStatsPeriod(const IniValue& value, GeneralSettings& settings) {
  const auto period = value.Seconds();
  if (period.has_value()) {
    settings.config.log.stats_period = std::max<milliseconds>(*period, std::chrono::seconds(1));
  }
}

// Of clients' connections and of servers' alike. 0 is as without the key.

void ReadKeepalive(const IniValue& value, GeneralSettings& settings) {
  Put(value.Flag(), settings.config.listen.tcp_keepalive.on);
  settings.server_tcp.on = settings.config.listen.tcp_keepalive.on;
}
void PutTcpTime(std::optional<milliseconds> time, milliseconds TcpKeepalive::* member,
                GeneralSettings& settings) {
  if (time.value_or(milliseconds(0)) == milliseconds(0)) return;
  settings.config.listen.tcp_keepalive.*member = *time;
  settings.server_tcp.*member = *time;
}
std::optional<milliseconds> WholeSeconds(const IniValue& value) {
  const auto seconds = value.Int(0, kMostProbeSeconds);
  if (!seconds.has_value()) return std::nullopt;
  return std::chrono::seconds(*seconds);
}
void ReadKeepidle(const IniValue& value, GeneralSettings& settings) {
  PutTcpTime(WholeSeconds(value), &TcpKeepalive::idle, settings);
}
void ReadKeepintvl(const IniValue& value, GeneralSettings& settings) {
  PutTcpTime(WholeSeconds(value), &TcpKeepalive::interval, settings);
}
void ReadKeepcnt(const IniValue& value, GeneralSettings& settings) {
  const int count = value.Int(0, kMostProbes).value_or(0);
  if (count == 0) return;
  settings.config.listen.tcp_keepalive.count = count;
  settings.server_tcp.count = count;
}
void ReadTcpUserTimeout(const IniValue& value, GeneralSettings& settings) {
  const auto time = value.Int(0, std::numeric_limits<int>::max());
  if (!time.has_value()) return;
  PutTcpTime(milliseconds(*time), &TcpKeepalive::user_timeout, settings);
}

struct OtherKey {
  std::string_view name;
  void (*read)(const IniValue& value, GeneralSettings& settings);
};
constexpr OtherKey kOthers[] = {
    {"admin_users", ReadAdmins},
    {"auth_type", ReadAuthType},
    {"client_login_timeout", ReadLoginTimeout},
    {"client_tls_protocols", ReadClientProtocols},
    {"client_tls_sslmode", ReadClientTls},
    {"ignore_startup_parameters", ReadIgnoredParameters},
    {"listen_port", ReadPort},
    {"max_client_conn", ReadMaxClients},
    {"max_prepared_statements", ReadPreparedStatements},
    {"peer_id", ReadPeerId},
    {"pool_mode", ReadGeneralPoolMode},
    {"reserve_pool_timeout", ReadReserveTimeout},
    {"server_check_query", ReadCheckQuery},
    {"server_lifetime", ReadGeneralLifetime},
    {"server_tls_protocols", ReadServerProtocols},
    {"server_tls_sslmode", ReadServerTls},
    {"stats_period", ReadStatsPeriod},
    {"stats_users", ReadStatsUsers},
    {"syslog_facility", ReadFacility},
    {"tcp_keepalive", ReadKeepalive},
    {"tcp_keepcnt", ReadKeepcnt},
    {"tcp_keepidle", ReadKeepidle},
    {"tcp_keepintvl", ReadKeepintvl},
    {"tcp_user_timeout", ReadTcpUserTimeout},
    {"unix_socket_dir", ReadUnixSocketDir},
    {"unix_socket_mode", ReadSocketMode},
    {"verbose", ReadVerbose},
};

template <typename Keys>
auto Find(const Keys& keys, std::string_view name) {
  const auto it = std::find_if(std::begin(keys), std::end(keys),
                               [name](const auto& key) { return key.name == name; });
  return it == std::end(keys) ? nullptr : it;
}

bool Read(std::string_view name, const IniValue& value, GeneralSettings& settings) {
  if (const auto* number = Find(kPoolNumbers, name)) {
    Put(value.Int(number->min, number->max), settings.config.pool.*number->member);
  } else if (const auto* time = Find(kPoolTimes, name)) {
    Put(value.Seconds(), settings.config.pool.*time->member);
  } else if (const auto* path = Find(kPaths, name)) {
    path->of(settings) = Anchored(value.text());
  } else if (const auto* text = Find(kTexts, name)) {
    text->of(settings) = value.text();
  } else if (const auto* flag = Find(kFlags, name)) {
    Put(value.Flag(), flag->of(settings));
  } else if (const auto* other = Find(kOthers, name)) {
    other->read(value, settings);
  } else {
    return false;
  }
  return true;
}

template <typename Keys>
void AddNames(const Keys& keys, std::vector<std::string_view>& names) {
  for (const auto& key : keys) names.push_back(key.name);
}

void NeedFile(const GeneralSettings& settings, std::string_view key, const std::string& path,
              IniReport& report) {
  const IniPlace place = settings.PlaceOf(key);
  if (path.empty()) {
    return report.Fault(place,
                        fmt::format("{}: must name a PEM file for this client_tls_sslmode", key));
  }
  const Status readable = CheckReadable(path);
  if (!readable.ok()) {
    report.Fault(place, fmt::format("{}: {} {}", key, path, MessageOf(readable)));
  }
}

void CheckClientTls(const GeneralSettings& settings, IniReport& report) {
  const Tls& tls = settings.config.listen.tls;
  if (tls.mode == TlsMode::kDisable) return;
  NeedFile(settings, "client_tls_cert_file", tls.certificate, report);
  NeedFile(settings, "client_tls_key_file", tls.key, report);
  if (tls.mode == TlsMode::kVerifyCa || !tls.ca.empty()) {
    NeedFile(settings, "client_tls_ca_file", tls.ca, report);
  }
}

void CheckUsers(GeneralSettings& settings, IniReport& report) {
  const std::string& path = settings.config.auth.users_file;
  if (path.empty()) return;
  const auto content = ReadFile(path, kMaxUsersFileBytes);
  if (!content.ok()) {
    return report.Fault(settings.PlaceOf("auth_file"),
                        fmt::format("auth_file: {} {}", path, MessageOf(content.status())));
  }
  auto users = ParseUsers(*content, path);
  if (!users.ok()) return report.FaultOfOtherFile(MessageOf(users.status()));
  settings.users = *std::move(users);
}

std::string_view NameOf(AuthFault::Key key) {
  constexpr std::string_view kNames[] = {"auth_type", "auth_hba_file", "auth_ident_file",
                                         "auth_type"};
  return kNames[static_cast<size_t>(key)];
}

void CheckRules(const GeneralSettings& settings, IniReport& report) {
  const Config& config = settings.config;
  for (const AuthFault& fault : CheckAuthRules(config.auth, config.listen, kAuthWords)) {
    if (fault.key == AuthFault::Key::kOtherFile) {
      report.FaultOfOtherFile(fault.message);
    } else {
      const std::string_view key = NameOf(fault.key);
      report.Fault(settings.PlaceOf(key), fmt::format("{}: {}", key, fault.message));
    }
  }
}

}  // namespace

GeneralSettings::GeneralSettings() : auth_query(kDefaultAuthQuery) {
  config.admin.database = kConsoleAlias;
  config.admin.users.clear();
  config.auth.known_users_only = true;
  config.listen.address = "";
  config.listen.unix_socket_dir = "/tmp";
  config.listen.max_clients = 100;
  config.auth.method = AuthMethod::kMd5;
  config.auth.allow_plain_without_tls = true;
  config.log.connections = true;
  config.log.disconnections = true;
  config.log.syslog_ident = "pgbouncer";
  config.pool.mode = PoolMode::kSession;
  config.pool.size = 20;
  config.pool.wait_timeout = std::chrono::seconds(120);
}

IniPlace GeneralSettings::PlaceOf(std::string_view key) const {
  const auto it = places.find(key);
  return it == places.end() ? IniPlace() : it->second;
}

bool ReadGeneralKey(std::string_view key, const IniValue& value, GeneralSettings& settings) {
  if (!Read(key, value, settings)) return false;
  settings.places.insert_or_assign(std::string(key), value.place());
  return true;
}

void CheckGeneral(GeneralSettings& settings, IniReport& report) {
  Pool& pool = settings.config.pool;
  pool.min_size = std::min(pool.min_size, pool.size);
  if (!settings.uses_reserve) pool.overflow = 0;
  if (settings.config.listen.address.empty() && settings.config.listen.unix_socket_dir.empty()) {
    report.Fault(settings.PlaceOf("unix_socket_dir"),
                 "unix_socket_dir: must not be empty without a listen_addr: nothing to listen on");
  }
  CheckClientTls(settings, report);
  // PgBouncer reads no users for "any".
  if (settings.any_user) settings.config.auth.users_file.clear();
  CheckUsers(settings, report);
  CheckRules(settings, report);
  if (!settings.config.auth.query_user.empty()) settings.config.auth.query = settings.auth_query;
}

std::optional<PoolMode> ReadPoolMode(const IniValue& value) {
  return value.Choice<PoolMode>(kPoolModes);
}

std::optional<milliseconds> ReadLifetime(const IniValue& value) {
  const auto lifetime = value.Seconds();
  if (!lifetime.has_value()) return lifetime;
  return std::max(*lifetime, milliseconds(1));
}

std::vector<std::string_view> ServedGeneralKeys() {
  std::vector<std::string_view> names;
  AddNames(kPoolNumbers, names);
  AddNames(kPoolTimes, names);
  AddNames(kPaths, names);
  AddNames(kTexts, names);
  AddNames(kFlags, names);
  AddNames(kOthers, names);
  return names;
}

}  // namespace pgweir::config
