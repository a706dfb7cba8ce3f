#include <algorithm>
#include <array>

#include "config/connect_query.h"
#include "config/faults.h"
#include "config/pgbouncer_keys.h"
#include "config/pgbouncer_sections.h"

// [databases], [users] and [peers]: a line each, whose value is key=value pairs.

namespace pgweir::config {
namespace {

// A line of [databases].
struct Line {
  std::string host, user, password, dbname;
  int port = 5432;
  bool one_host = false;  // load_balance_hosts disable
  std::string client_encoding, application_name, target_session_attrs;
  std::vector<std::pair<std::string, std::string>> server_settings;
  PoolOverride pool;
  std::string login_secret;
  std::optional<std::string> auth_user, auth_query, auth_dbname;
  IniPlace host_at;
};

struct DatabaseKey {
  std::string_view name;
  void (*read)(const IniValue& value, Line& line);
};

// PgBouncer takes a negative number as "not set".
std::optional<int> Size(const IniValue& value, int min, int max) {
  if (!value.text().empty() && value.text()[0] == '-') return std::nullopt;
  return value.Int(min, max);
}

void ReadHost(const IniValue& value, Line& line) {
  line.host = value.text();
  line.host_at = value.place();
}

void ReadPort(const IniValue& value, Line& line) {
  line.port = value.Int(1, 65535).value_or(line.port);
}

void ReadLoadBalancing(const IniValue& value, Line& line) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kChoices{
      {{"disable", true}, {"round-robin", false}}};
  line.one_host = value.Choice<bool>(kChoices).value_or(false);
}

void ReadSessionAttributes(const IniValue& value, Line& line) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kChoices{
      {{"any", "any"},
       {"read-write", "read-write"},
       {"read-only", "read-only"},
       {"primary", "primary"},
       {"standby", "standby"}}};
  const auto choice = value.Choice<std::string_view>(kChoices);
  if (choice.has_value()) line.target_session_attrs = *choice;
}

void ReadConnectQuery(const IniValue& value, Line& line) {
  const auto settings = SettingsOfConnectQuery(value.text());
  if (!settings.ok()) return value.Fault(MessageOf(settings.status()));
  line.server_settings.insert(line.server_settings.end(), settings->begin(), settings->end());
}

void ReadReserve(const IniValue& value, Line& line) {
  line.pool.overflow = Size(value, 0, kMostPoolSize);
}

using V = IniValue;
constexpr DatabaseKey kDatabaseKeys[] = {
    {"application_name", [](const V& v, Line& line) { line.application_name = v.text(); }},
    {"auth_dbname", [](const V& v, Line& line) { line.auth_dbname = v.text(); }},
    {"auth_query", [](const V& v, Line& line) { line.auth_query = v.text(); }},
    {"auth_user", [](const V& v, Line& line) { line.auth_user = v.text(); }},
    {"client_encoding", [](const V& v, Line& line) { line.client_encoding = v.text(); }},
    {"connect_query", ReadConnectQuery},
    {"datestyle",
     [](const V& v, Line& line) { line.server_settings.emplace_back("datestyle", v.text()); }},
    {"dbname", [](const V& v, Line& line) { line.dbname = v.text(); }},
    {"host", ReadHost},
    {"load_balance_hosts", ReadLoadBalancing},
    {"max_db_client_connections",
     [](const V& v, Line& line) {
       line.pool.max_db_client_connections = Size(v, 0, kMostClients);
     }},
    {"max_db_connections",
     [](const V& v, Line& line) { line.pool.max_db_connections = Size(v, 0, kMostPoolSize); }},
    {"min_pool_size",
     [](const V& v, Line& line) { line.pool.min_size = Size(v, 0, kMostPoolSize); }},
    {"password", [](const V& v, Line& line) { line.password = v.text(); }},
    {"pool_mode", [](const V& v, Line& line) { line.pool.mode = ReadPoolMode(v); }},
    {"pool_size", [](const V& v, Line& line) { line.pool.size = Size(v, 1, kMostPoolSize); }},
    {"port", ReadPort},
    {"query_wait_timeout", [](const V& v, Line& line) { line.pool.wait_timeout = v.Seconds(); }},
    {"reserve_pool", ReadReserve},
    {"reserve_pool_size", ReadReserve},
    {"server_lifetime", [](const V& v, Line& line) { line.pool.recycle = ReadLifetime(v); }},
    {"target_session_attrs", ReadSessionAttributes},
    {"timezone",
     [](const V& v, Line& line) { line.server_settings.emplace_back("timezone", v.text()); }},
    {"user", [](const V& v, Line& line) { line.user = v.text(); }},
};

struct UserKey {
  std::string_view name;
  void (*read)(const IniValue& value, PoolOverride& pool);
};
constexpr UserKey kUserKeys[] = {
    {"client_idle_timeout",
     [](const V& v, PoolOverride& pool) { pool.client_idle_timeout = v.Seconds(); }},
    {"idle_transaction_timeout",
     [](const V& v, PoolOverride& pool) { pool.idle_transaction_timeout = v.Seconds(); }},
    {"max_user_client_connections",
     [](const V& v, PoolOverride& pool) {
       pool.max_user_client_connections = Size(v, 0, kMostClients);
     }},
    {"max_user_connections",
     [](const V& v, PoolOverride& pool) { pool.max_user_connections = Size(v, 0, kMostPoolSize); }},
    {"pool_mode", [](const V& v, PoolOverride& pool) { pool.mode = ReadPoolMode(v); }},
    {"pool_size", [](const V& v, PoolOverride& pool) { pool.size = Size(v, 1, kMostPoolSize); }},
    {"query_timeout", [](const V& v, PoolOverride& pool) { pool.query_timeout = v.Seconds(); }},
    {"query_wait_timeout", [](const V& v, PoolOverride& pool) { pool.wait_timeout = v.Seconds(); }},
    {"reserve_pool_size",
     [](const V& v, PoolOverride& pool) { pool.overflow = Size(v, 0, kMostPoolSize); }},
    {"transaction_timeout",
     [](const V& v, PoolOverride& pool) { pool.transaction_timeout = v.Seconds(); }},
};

struct PeerKey {
  std::string_view name;
  void (*read)(const IniValue& value, Peer& peer);
};
void ReadPeerPort(const IniValue& value, Peer& peer) {
  const auto port = value.Int(1, 65535);
  if (port.has_value()) peer.port = static_cast<uint16_t>(*port);
}
constexpr PeerKey kPeerKeys[] = {
    {"host", [](const V& v, Peer& peer) { peer.host = v.text(); }},
    {"pool_size",
     [](const V& v, Peer& peer) { peer.pool_size = Size(v, 0, kMostPoolSize).value_or(0); }},
    {"port", ReadPeerPort},
};

template <typename Keys>
std::vector<std::string_view> NamesOf(const Keys& keys) {
  std::vector<std::string_view> names;
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

// Reads the pairs of a line's value into `into`. False when it can't be told what they are.
template <typename Keys, typename Into>
bool ReadPairs(const IniEntry& entry, const Keys& keys, Into& into, IniReport& report) {
  const IniPairs pairs = ParsePairs(entry.value);
  const std::string whose = ShownKey(entry.key);
  for (const IniPair& pair : pairs.pairs) {
    const IniValue value(fmt::format("{} {}", whose, ShownKey(pair.key)), pair.value,
                         entry.PlaceIn(pair.value_offset), report);
    const auto known = std::find_if(std::begin(keys), std::end(keys),
                                    [&pair](const auto& key) { return key.name == pair.key; });
    if (known != std::end(keys)) {
      known->read(value, into);
    } else if (const UnservedKey* unserved = FindUnservedKey(entry.section, pair.key)) {
      ReportUnserved(*unserved, value);
    } else {
      report.Fault(entry.PlaceIn(pair.key_offset),
                   fmt::format("{}: unknown key {}", whose, ShownKey(pair.key)));
    }
  }
  if (pairs.fault.empty()) return true;
  report.Fault(entry.PlaceIn(pairs.fault_offset), fmt::format("{}: {}", whose, pairs.fault));
  return false;
}

class ConnectionString {
 public:
  void Add(std::string_view keyword, std::string_view value) {
    if (value.empty()) return;
    text_ += fmt::format("{}{}='", text_.empty() ? "" : " ", keyword);
    for (const char c : value) {
      if (c == '\'' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '\'';
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// One word of the server's command line.
std::string Word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c == '\\' || c == ' ' || (c >= '\t' && c <= '\r')) word += '\\';
    word += c;
  }
  return word;
}

// Zero is as libpq does without the keyword.
void AddTcp(const TcpKeepalive& tcp, ConnectionString& out) {
  const auto add = [&out](std::string_view keyword, int64_t value) {
    if (value > 0) out.Add(keyword, std::to_string(value));
  };
  if (!tcp.on) out.Add("keepalives", "0");
  add("keepalives_idle", tcp.idle.count() / 1000);
  add("keepalives_interval", tcp.interval.count() / 1000);
  add("keepalives_count", tcp.count);
  add("tcp_user_timeout", tcp.user_timeout.count());
}

void AddTls(const GeneralSettings& settings, ConnectionString& out) {
  constexpr std::string_view kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
  out.Add("sslmode", settings.server_tls);
  if (settings.server_tls == "disable") return;
  // With a file of authorities libpq would verify in mode "require" too.
  if (settings.server_tls.substr(0, 6) == "verify") {
    out.Add("sslrootcert", settings.server_ca.empty() ? kSystemAuthorities : settings.server_ca);
  }
  out.Add("sslcert", settings.server_certificate);
  out.Add("sslkey", settings.server_key);
  out.Add("ssl_min_protocol_version", settings.server_protocols_from);
  out.Add("ssl_max_protocol_version", settings.server_protocols_to);
}

std::string ConnectionStringOf(const Line& line, const GeneralSettings& settings) {
  ConnectionString out;
  // Without a host PgBouncer takes the folder of its own socket.
  out.Add("host", line.host.empty() ? settings.config.listen.unix_socket_dir : line.host);
  out.Add("port", std::to_string(line.port));
  out.Add("dbname", line.dbname);
  out.Add("user", line.user);
  if (!line.user.empty()) out.Add("password", line.password);
  out.Add("client_encoding", line.client_encoding);
  out.Add("application_name", line.application_name);
  out.Add("target_session_attrs", line.target_session_attrs);
  std::string options;
  for (const auto& [name, value] : line.server_settings) {
    options += fmt::format("{}-c {}", options.empty() ? "" : " ", Word(name + "=" + value));
  }
  out.Add("options", options);
  AddTcp(settings.server_tcp, out);
  AddTls(settings, out);
  return out.Take();
}

// A user without a password has the secret of the auth_file.
void FindPassword(const GeneralSettings& settings, Line& line) {
  if (line.user.empty() || !line.password.empty()) return;
  const std::string* secret = settings.users.Find(line.user);
  if (secret == nullptr) return;
  (KindOf(*secret) == SecretKind::kPlain ? line.password : line.login_secret) = *secret;
}

// None where the line says nothing of its own. Without a user nothing is asked.
std::optional<AuthQuery> OwnAuthQuery(const Line& line, const GeneralSettings& settings) {
  if (!line.auth_user.has_value() && !line.auth_query.has_value() &&
      !line.auth_dbname.has_value()) {
    return std::nullopt;
  }
  const Auth& auth = settings.config.auth;
  AuthQuery query{.sql = line.auth_query.value_or(settings.auth_query),
                  .user = line.auth_user.value_or(auth.query_user),
                  .database = line.auth_dbname.value_or(auth.query_database)};
  if (query.user.empty()) query.sql.clear();
  return query;
}

void CheckLine(const IniEntry& entry, const Line& line, const GeneralSettings& settings,
               IniReport& report) {
  const std::string whose = ShownKey(entry.key);
  if (line.host.empty() && settings.config.listen.unix_socket_dir.empty()) {
    report.Fault(entry.key_at, whose + " must have a host, since unix_socket_dir is empty");
  }
  if (settings.any_user && line.user.empty()) {
    report.Fault(entry.key_at, whose + " must have a user: auth_type any hides who asks");
  }
  if (!line.password.empty() && line.user.empty()) {
    report.Warn(entry.key_at, whose + " password: no meaning without a user");
  }
  if (line.host.find(',') != std::string::npos && !line.one_host) {
    report.Warn(line.host_at, whose +
                                  " host: the first host that answers is used, connections are "
                                  "not spread (as with load_balance_hosts=disable)");
  }
}

}  // namespace

void ReadDatabaseLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report) {
  if (entry.key == "pgbouncer") {
    return report.Fault(entry.key_at, "database pgbouncer is the console, and can't be another");
  }
  Line line;
  if (!ReadPairs(entry, kDatabaseKeys, line, report)) return;
  CheckLine(entry, line, settings, report);
  FindPassword(settings, line);
  Database database;
  database.name = entry.key;
  database.keeps_dbname = !line.dbname.empty();
  database.login_secret = line.login_secret;
  database.auth_query = OwnAuthQuery(line, settings);
  if (line.dbname.empty() && entry.key != "*") line.dbname = entry.key;
  if (!settings.uses_reserve) line.pool.overflow.reset();
  database.own = line.pool;
  database.pool = Overlay(settings.config.pool, line.pool);
  database.pool.min_size = std::min(database.pool.min_size, database.pool.size);
  database.node = {entry.key, ConnectionStringOf(line, settings), {}};
  database.nodes = {database.node};
  // Of several lines for one name the last counts.
  settings.config.databases.insert_or_assign(entry.key, std::move(database));
}

void ReadUserLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report) {
  PoolOverride pool;
  if (!ReadPairs(entry, kUserKeys, pool, report)) return;
  if (!settings.uses_reserve) pool.overflow.reset();
  settings.config.users.insert_or_assign(entry.key, pool);
}

void ReadPeerLine(const IniEntry& entry, GeneralSettings& settings, IniReport& report) {
  const IniValue name("a peer's id", entry.key, entry.key_at, report);
  const auto id = name.Int(1, kMostPeerId);
  Peer peer;
  if (!ReadPairs(entry, kPeerKeys, peer, report) || !id.has_value()) return;
  if (peer.host.empty()) {
    return report.Fault(entry.key_at, fmt::format("peer {} must have a host", *id));
  }
  settings.config.peers.insert_or_assign(*id, std::move(peer));
}

std::vector<std::string_view> ServedDatabaseKeys() { return NamesOf(kDatabaseKeys); }
std::vector<std::string_view> ServedUserKeys() { return NamesOf(kUserKeys); }
std::vector<std::string_view> ServedPeerKeys() { return NamesOf(kPeerKeys); }

}  // namespace pgweir::config
