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
  constexpr std::string_view kKey = "method";
  const bool is_text = reader.Has(kKey);
  const std::string text = is_text ? reader.TextOr(kKey, "") : "";
  if (text == "cert" || text == "hba") {
    return reader.Fault(kKey, fmt::format("\"{}\" is not served by this version", text));
  }
  auth.method = reader.Choice<AuthMethod>(kKey, kMethods).value_or(auth.method);
}

}  // namespace

}  // namespace pgweir::config
