#include <array>

#include "config/file.h"
#include "config/hba.h"
#include "config/ident_map.h"
#include "config/sections.h"
#include "config/users.h"

namespace pgweir::config {
namespace {

constexpr std::string_view kDefaultUsersFile = "users.txt";
constexpr milliseconds kMaxFailureDelay{10'000};

// The query meant by "default". The server's catalog is named, so that no other is found first.
constexpr std::string_view kDefaultQuery =
    "SELECT usename, passwd, valuntil FROM pg_catalog.pg_shadow WHERE usename=$1";

constexpr std::array<std::pair<std::string_view, AuthMethod>, 6> kMethods{
    {{"trust", AuthMethod::kTrust},
     {"password", AuthMethod::kPassword},
     {"md5", AuthMethod::kMd5},
     {"scram-sha-256", AuthMethod::kScramSha256},
     {"cert", AuthMethod::kCert},
     {"hba", AuthMethod::kHba}}};

// Without the key, the default file has to be there if the method needs secrets and has no other
// source of them.
void ReadUsersFile(TableReader& reader, const std::filesystem::path& folder, Faults& faults,
                   Auth& auth) {
  const auto given = reader.Text("users_file");
  const std::string path = Anchored(given.value_or(std::string(kDefaultUsersFile)), folder);
  std::error_code error;
  const bool needs_secrets =
      auth.method != AuthMethod::kTrust && auth.method != AuthMethod::kCert && auth.query.empty();
  const bool is_needed = given.has_value() || needs_secrets;
  if (path.empty() || (!is_needed && !std::filesystem::exists(path, error))) return;
  auth.users_file = path;
  const auto content = ReadFile(path, kMaxUsersFileBytes);
  if (!content.ok()) {
    return reader.Fault("users_file", fmt::format("{} {}", path, MessageOf(content.status())));
  }
  const auto users = ParseUsers(*content, path);
  if (!users.ok()) faults.AddOfOtherFile(MessageOf(users.status()));
}

void NeedAuthorities(TableReader& reader, std::string_view key, const Listen& listen,
                     std::string_view why) {
  if (listen.tls.mode != TlsMode::kDisable && !listen.tls.ca.empty()) return;
  reader.Fault(key, fmt::format("{} needs listen.tls with a mode other than \"disable\", and a ca "
                                "that signs the clients' certificates",
                                why));
}

// Null with the fault said.
std::optional<IdentMaps> ReadIdentFile(TableReader& reader, Faults& faults, const Auth& auth) {
  if (auth.ident_file.empty()) return IdentMaps();
  const Status readable = CheckReadable(auth.ident_file);
  if (!readable.ok()) {
    reader.Fault("ident_file", fmt::format("{} {}", auth.ident_file, MessageOf(readable)));
    return std::nullopt;
  }
  auto maps = LoadIdentMaps(auth.ident_file);
  if (maps.ok()) return *std::move(maps);
  faults.AddOfOtherFile(MessageOf(maps.status()));
  return std::nullopt;
}

void CheckRules(TableReader& reader, const Listen& listen, const IdentMaps& maps, Faults& faults,
                const Auth& auth) {
  const auto rules = LoadHba(auth.hba_file);
  if (!rules.ok()) return faults.AddOfOtherFile(MessageOf(rules.status()));
  if (rules->wants_certificates()) {
    NeedAuthorities(reader, "hba_file", listen, "a rule that looks at certificates");
  }
  for (const HbaRules::Rule& rule : rules->rules()) {
    if (rule.map.empty() || maps.Has(rule.map)) continue;
    faults.AddOfOtherFile(fmt::format("{}:{}:1: map={}: auth.ident_file has no such map",
                                      auth.hba_file, rule.line, ShownKey(rule.map)));
  }
}

void ReadRules(TableReader& reader, const std::filesystem::path& folder, const Listen& listen,
               Faults& faults, Auth& auth) {
  auth.hba_file = ReadPath(reader, "hba_file", folder);
  auth.ident_file = ReadPath(reader, "ident_file", folder);
  auth.ident_map = reader.Text("ident_map").value_or("");
  const auto maps = ReadIdentFile(reader, faults, auth);
  if (auth.method == AuthMethod::kCert) {
    NeedAuthorities(reader, "method", listen, "\"cert\"");
    if (!auth.ident_map.empty() && maps.has_value() && !maps->Has(auth.ident_map)) {
      reader.Fault("ident_map", "ident_file has no such map");
    }
  }
  if (auth.method != AuthMethod::kHba) return;
  if (auth.hba_file.empty()) {
    return reader.Fault("hba_file", "must name a file for method \"hba\"");
  }
  const Status readable = CheckReadable(auth.hba_file);
  if (!readable.ok()) {
    return reader.Fault("hba_file", fmt::format("{} {}", auth.hba_file, MessageOf(readable)));
  }
  if (maps.has_value()) CheckRules(reader, listen, *maps, faults, auth);
}

void ReadQuery(TableReader& reader, Auth& auth) {
  auth.query = reader.Text("query").value_or("");
  if (auth.query == "default") auth.query = kDefaultQuery;
  auth.query_user = reader.Text("query_user").value_or("");
  auth.query_database = reader.Text("query_database").value_or("");
  auth.query_cache = reader.Time("query_cache").value_or(auth.query_cache);
}

}  // namespace

void ReadAuth(TableReader reader, const std::filesystem::path& folder, const Listen& listen,
              Faults& faults, Auth& auth) {
  auth.method = reader.Choice<AuthMethod>("method", kMethods).value_or(auth.method);
  ReadQuery(reader, auth);
  ReadUsersFile(reader, folder, faults, auth);
  ReadRules(reader, folder, listen, faults, auth);
  auth.allow_plain_without_tls =
      reader.Bool("allow_plain_without_tls").value_or(auth.allow_plain_without_tls);
  auth.failure_delay = reader.Time("failure_delay").value_or(auth.failure_delay);
  if (auth.failure_delay > kMaxFailureDelay) {
    reader.Fault("failure_delay",
                 fmt::format("must be at most \"{}ms\"", kMaxFailureDelay.count()));
  }
  reader.RejectUnknown();
}

}  // namespace pgweir::config
