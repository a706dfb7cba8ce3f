#include <algorithm>
#include <array>
#include <charconv>

#include "base/ip_address.h"
#include "config/file.h"
#include "config/not_served.h"
#include "config/sections.h"
#include "config/syslog_facilities.h"

namespace pgweir::config {
namespace {

constexpr int kMaxWorkers = 256;
constexpr int kMaxClients = 1'000'000;
constexpr int kMaxPeerRequests = 1'000;
constexpr int kMaxProbes = 127;  // the kernel's bound, as is 32767 s
constexpr std::chrono::hours kMaxProbeTime{9};
constexpr milliseconds kLeastPeriod{1'000};
constexpr int kMaxPeerId = 16383;  // PgBouncer's bound, so that both may be peers
// A unix socket's path, "/.s.PGSQL.NNNNN" included, has at most 107 characters.
constexpr size_t kMaxSocketFolder = 107 - 15;

constexpr std::array<std::pair<std::string_view, TlsMode>, 6> kTlsModes{
    {{"disable", TlsMode::kDisable},
     {"allow", TlsMode::kAllow},
     {"prefer", TlsMode::kPrefer},
     {"require", TlsMode::kRequire},
     {"verify-ca", TlsMode::kVerifyCa},
     {"verify-full", TlsMode::kVerifyFull}}};

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLevels{
    {{"trace", LogLevel::kTrace},
     {"debug", LogLevel::kDebug},
     {"info", LogLevel::kInfo},
     {"warning", LogLevel::kWarning},
     {"error", LogLevel::kError}}};

void NeedFile(TableReader& reader, std::string_view key, const std::string& path) {
  if (path.empty()) return reader.Fault(key, "must name a PEM file for this tls.mode");
  const Status readable = CheckReadable(path);
  if (!readable.ok()) reader.Fault(key, fmt::format("{} {}", path, MessageOf(readable)));
}

void ReadTls(TableReader reader, const std::filesystem::path& folder, Tls& tls) {
  tls.mode = reader.Choice<TlsMode>("mode", kTlsModes).value_or(tls.mode);
  tls.certificate = ReadPath(reader, "certificate", folder);
  tls.key = ReadPath(reader, "key", folder);
  tls.ca = ReadPath(reader, "ca", folder);
  reader.RejectUnknown();
  if (tls.mode == TlsMode::kDisable) return;
  NeedFile(reader, "certificate", tls.certificate);
  NeedFile(reader, "key", tls.key);
  const bool verifies = tls.mode == TlsMode::kVerifyCa || tls.mode == TlsMode::kVerifyFull;
  if (verifies || !tls.ca.empty()) NeedFile(reader, "ca", tls.ca);
}

void ReadTcp(TableReader& reader, TcpKeepalive& tcp) {
  tcp.on = reader.Bool("tcp_keepalive").value_or(tcp.on);
  tcp.idle = reader.Time("tcp_keepidle").value_or(tcp.idle);
  tcp.interval = reader.Time("tcp_keepintvl").value_or(tcp.interval);
  tcp.count = reader.Int("tcp_keepcnt", 0, kMaxProbes).value_or(tcp.count);
  tcp.user_timeout = reader.Time("tcp_user_timeout").value_or(tcp.user_timeout);
  for (const auto& [key, time] :
       {std::pair("tcp_keepidle", tcp.idle), std::pair("tcp_keepintvl", tcp.interval),
        std::pair("tcp_user_timeout", tcp.user_timeout)}) {
    if (time > kMaxProbeTime) reader.Fault(key, "must be at most \"9h\"");
  }
}

// Start-up parameters, whose names have no case.
std::vector<std::string> ReadIgnored(TableReader& reader) {
  auto names = reader.Texts("ignore_startup_parameters").value_or(std::vector<std::string>());
  for (std::string& name : names) {
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return names;
}

// Addresses and ranges of addresses.
std::vector<IpRange> ReadRanges(TableReader& reader, std::string_view key) {
  std::vector<IpRange> ranges;
  for (const std::string& text : reader.Texts(key).value_or(std::vector<std::string>())) {
    const auto range = IpRange::Parse(text);
    if (range.has_value()) {
      ranges.push_back(*range);
    } else {
      reader.Fault(
          key, fmt::format("{} is no address and no range such as \"10.0.0.0/8\"", ShownKey(text)));
    }
  }
  return ranges;
}

}  // namespace

std::string Anchored(const std::string& path, const std::filesystem::path& folder) {
  return path.empty() ? "" : (folder / path).lexically_normal().string();
}

std::string ReadPath(TableReader& reader, std::string_view key,
                     const std::filesystem::path& folder) {
  return Anchored(reader.Text(key).value_or(""), folder);
}

std::optional<uint64_t> ReadDigest(TableReader& reader, std::string_view key) {
  const auto text = reader.Text(key);
  if (!text.has_value()) return std::nullopt;
  uint64_t digest = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, digest, 16);
  if (text->size() == 16 && error == std::errc() && end == last) return digest;
  reader.Fault(key, "must be 16 hexadecimal digits");
  return std::nullopt;
}

void ReadListen(TableReader reader, const std::filesystem::path& folder, Listen& listen,
                int& peer_id) {
  listen.address = reader.Text("address").value_or(listen.address);
  listen.port = static_cast<uint16_t>(reader.Int("port", 1, 65535).value_or(listen.port));
  listen.unix_socket_dir = ReadPath(reader, "unix_socket_dir", folder);
  listen.unix_socket_mode =
      reader.Int("unix_socket_mode", 0, 0777).value_or(listen.unix_socket_mode);
  listen.unix_socket_group = reader.Text("unix_socket_group").value_or("");
  listen.workers = reader.Int("workers", 0, kMaxWorkers).value_or(listen.workers);
  listen.max_clients = reader.Int("max_clients", 1, kMaxClients).value_or(listen.max_clients);
  listen.client_login_timeout =
      reader.Time("client_login_timeout").value_or(listen.client_login_timeout);
  listen.so_reuseport = reader.Bool("so_reuseport").value_or(listen.so_reuseport);
  listen.proxy_protocol = ReadRanges(reader, "proxy_protocol");
  listen.ignore_startup_parameters = ReadIgnored(reader);
  listen.application_name_add_host =
      reader.Bool("application_name_add_host").value_or(listen.application_name_add_host);
  ReadTcp(reader, listen.tcp_keepalive);
  peer_id = reader.Int("peer_id", 0, kMaxPeerId).value_or(peer_id);
  ReadTls(reader.Table("tls"), folder, listen.tls);
  reader.RejectUnknown();
  if (listen.address.empty() && listen.unix_socket_dir.empty()) {
    reader.Fault("address", "must not be empty without a unix_socket_dir: nothing to listen on");
  }
  if (listen.unix_socket_dir.size() > kMaxSocketFolder) {
    reader.Fault("unix_socket_dir", fmt::format("must have at most {} characters as an absolute "
                                                "path",
                                                kMaxSocketFolder));
  }
}

void ReadPeers(TableReader reader, std::map<int, Peer>& peers) {
  for (auto& [name, table] : reader.NamedTables()) {
    int id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc() || end != name.data() + name.size() || id < 1 || id > kMaxPeerId) {
      table.Fault(fmt::format("must be named by a peer_id, from 1 to {}", kMaxPeerId));
    }
    Peer peer;
    peer.host = table.Text("host").value_or("");
    peer.port = static_cast<uint16_t>(table.Int("port", 1, 65535).value_or(peer.port));
    peer.pool_size = table.Int("pool_size", 0, kMaxPeerRequests).value_or(peer.pool_size);
    if (peer.host.empty()) table.Fault("host", "must be a name, an address or a socket's folder");
    table.RejectUnknown();
    peers.emplace(id, std::move(peer));
  }
}

void ReadAdmin(TableReader reader, const std::filesystem::path& folder, Admin& admin) {
  admin.database = reader.Text("database").value_or(admin.database);
  admin.users = reader.Texts("users").value_or(admin.users);
  admin.stats_users = reader.Texts("stats_users").value_or(admin.stats_users);
  admin.old_columns = reader.Bool("old_columns").value_or(admin.old_columns);
  admin.http = reader.Text("http").value_or(admin.http);
  if (!admin.http.empty() && !IpAddress::ParseWithPort(admin.http).has_value()) {
    reader.Fault("http", "must be an address and a port: \"127.0.0.1:9632\", \"[::1]:9632\"");
  }
  admin.http_certificate = ReadPath(reader, "http_certificate", folder);
  admin.http_key = ReadPath(reader, "http_key", folder);
  admin.http_token_file = ReadPath(reader, "http_token_file", folder);
  if (admin.http_certificate.empty() != admin.http_key.empty()) {
    reader.Fault(admin.http_key.empty() ? "http_key" : "http_certificate",
                 "must be set too: TLS needs a certificate and its key");
  } else if (!admin.http_key.empty()) {
    NeedFile(reader, "http_certificate", admin.http_certificate);
    NeedFile(reader, "http_key", admin.http_key);
  }
  if (!admin.http_token_file.empty()) NeedFile(reader, "http_token_file", admin.http_token_file);
  reader.RejectUnknown();
  if (admin.database.empty() || admin.database == "*") {
    reader.Fault("database", "must be the name of a database");
  }
}

void ReadLog(TableReader reader, const std::filesystem::path& folder, Log& log) {
  log.level = reader.Choice<LogLevel>("level", kLevels).value_or(log.level);
  log.file = ReadPath(reader, "file", folder);
  log.syslog = reader.Bool("syslog").value_or(log.syslog);
  log.syslog_ident = reader.Text("syslog_ident").value_or(log.syslog_ident);
  log.syslog_facility = reader.Text("syslog_facility").value_or(log.syslog_facility);
  log.connections = reader.Bool("connections").value_or(log.connections);
  log.disconnections = reader.Bool("disconnections").value_or(log.disconnections);
  log.stats = reader.Bool("stats").value_or(log.stats);
  log.stats_period = reader.Time("stats_period", kLeastPeriod).value_or(log.stats_period);
  reader.RejectUnknown();
  if (std::ranges::find(kSyslogFacilities, log.syslog_facility) == kSyslogFacilities.end()) {
    reader.Fault("syslog_facility",
                 fmt::format("must be one of {}", fmt::join(kSyslogFacilities, ", ")));
  }
}

void ReadProcess(TableReader reader, const std::filesystem::path& folder, Process& process) {
  process.pid_file = ReadPath(reader, "pid_file", folder);
  process.user = reader.Text("user").value_or("");
  reader.RejectUnknown();
}

}  // namespace pgweir::config
