#include <array>

#include "config/file.h"
#include "config/not_served.h"
#include "config/sections.h"
#include "config/users.h"

namespace pgweir::config {
namespace {

constexpr int kMaxWorkers = 256;
constexpr int kMaxClients = 1'000'000;
// A unix socket's path, "/.s.PGSQL.NNNNN" included, has at most 107 characters.
constexpr size_t kMaxSocketFolder = 107 - 15;
constexpr std::string_view kDefaultUsersFile = "users.txt";

constexpr std::array<std::pair<std::string_view, TlsMode>, 6> kTlsModes{
    {{"disable", TlsMode::kDisable},
     {"allow", TlsMode::kAllow},
     {"prefer", TlsMode::kPrefer},
     {"require", TlsMode::kRequire},
     {"verify-ca", TlsMode::kVerifyCa},
     {"verify-full", TlsMode::kVerifyFull}}};

constexpr std::array<std::pair<std::string_view, AuthMethod>, 4> kMethods{
    {{"trust", AuthMethod::kTrust},
     {"password", AuthMethod::kPassword},
     {"md5", AuthMethod::kMd5},
     {"scram-sha-256", AuthMethod::kScramSha256}}};

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLevels{
    {{"trace", LogLevel::kTrace},
     {"debug", LogLevel::kDebug},
     {"info", LogLevel::kInfo},
     {"warning", LogLevel::kWarning},
     {"error", LogLevel::kError}}};

std::string Anchored(const std::string& path, const std::filesystem::path& folder) {
  return path.empty() ? "" : (folder / path).lexically_normal().string();
}

// The path that a key gives, absolute; "" when it gives none.
std::string ReadPath(TableReader& reader, std::string_view key,
                     const std::filesystem::path& folder) {
  return Anchored(reader.Text(key).value_or(""), folder);
}

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

void ReadMethod(TableReader& reader, Auth& auth) {
  const auto text = reader.Text("method");
  if (!text.has_value()) return;
  if (*text == "cert" || *text == "hba") {
    return reader.Fault("method", fmt::format("\"{}\" is not served by this version", *text));
  }
  auth.method = reader.Choice<AuthMethod>("method", kMethods).value_or(auth.method);
}

// Without the key, the default file has to be there if the method needs secrets.
void ReadUsersFile(TableReader& reader, const std::filesystem::path& folder, Faults& faults,
                   Auth& auth) {
  const auto given = reader.Text("users_file");
  const std::string path = Anchored(given.value_or(std::string(kDefaultUsersFile)), folder);
  std::error_code error;
  const bool is_needed = given.has_value() || auth.method != AuthMethod::kTrust;
  if (path.empty() || (!is_needed && !std::filesystem::exists(path, error))) return;
  auth.users_file = path;
  const auto content = ReadFile(path, kMaxUsersFileBytes);
  if (!content.ok()) {
    return reader.Fault("users_file", fmt::format("{} {}", path, MessageOf(content.status())));
  }
  const auto users = ParseUsers(*content, path);
  if (!users.ok()) faults.AddOfOtherFile(MessageOf(users.status()));
}

}  // namespace

void ReadListen(TableReader reader, const std::filesystem::path& folder, Listen& listen) {
  listen.address = reader.Text("address").value_or(listen.address);
  listen.port = static_cast<uint16_t>(reader.Int("port", 1, 65535).value_or(listen.port));
  listen.unix_socket_dir = ReadPath(reader, "unix_socket_dir", folder);
  listen.workers = reader.Int("workers", 0, kMaxWorkers).value_or(listen.workers);
  listen.max_clients = reader.Int("max_clients", 1, kMaxClients).value_or(listen.max_clients);
  listen.client_login_timeout =
      reader.Time("client_login_timeout").value_or(listen.client_login_timeout);
  listen.so_reuseport = reader.Bool("so_reuseport").value_or(listen.so_reuseport);
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

void ReadAuth(TableReader reader, const std::filesystem::path& folder, Faults& faults, Auth& auth) {
  ReadMethod(reader, auth);
  ReadUsersFile(reader, folder, faults, auth);
  auth.allow_plain_without_tls =
      reader.Bool("allow_plain_without_tls").value_or(auth.allow_plain_without_tls);
  ReadNotServed("auth", reader);
  reader.RejectUnknown();
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
