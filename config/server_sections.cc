#include <array>
#include <charconv>

#include "config/file.h"
#include "config/not_served.h"
#include "config/sections.h"

namespace pgweir::config {
namespace {

constexpr int kMaxWorkers = 256;
constexpr int kMaxClients = 1'000'000;
constexpr int kMaxPeerRequests = 1'000;
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

void ReadListen(TableReader reader, const std::filesystem::path& folder, Listen& listen,
                int& peer_id) {
  listen.address = reader.Text("address").value_or(listen.address);
  listen.port = static_cast<uint16_t>(reader.Int("port", 1, 65535).value_or(listen.port));
  listen.unix_socket_dir = ReadPath(reader, "unix_socket_dir", folder);
  listen.workers = reader.Int("workers", 0, kMaxWorkers).value_or(listen.workers);
  listen.max_clients = reader.Int("max_clients", 1, kMaxClients).value_or(listen.max_clients);
  listen.client_login_timeout =
      reader.Time("client_login_timeout").value_or(listen.client_login_timeout);
  listen.so_reuseport = reader.Bool("so_reuseport").value_or(listen.so_reuseport);
  listen.proxy_protocol = ReadRanges(reader, "proxy_protocol");
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

void ReadAdmin(TableReader reader, Admin& admin) {
  admin.database = reader.Text("database").value_or(admin.database);
  admin.users = reader.Texts("users").value_or(admin.users);
  admin.stats_users = reader.Texts("stats_users").value_or(admin.stats_users);
  admin.old_columns = reader.Bool("old_columns").value_or(admin.old_columns);
  ReadNotServed("admin", reader);
  reader.RejectUnknown();
  if (admin.database.empty() || admin.database == "*") {
    reader.Fault("database", "must be the name of a database");
  }
}

void ReadLog(TableReader reader, Log& log) {
  log.level = reader.Choice<LogLevel>("level", kLevels).value_or(log.level);
  reader.RejectUnknown();
}

}  // namespace pgweir::config
