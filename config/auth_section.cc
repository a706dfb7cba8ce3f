#include <array>

#include "config/auth_rules.h"
#include "config/file.h"
#include "config/sections.h"
#include "config/users.h"

namespace pgweir::config {
namespace {

constexpr std::string_view kDefaultUsersFile = "users.txt";
constexpr milliseconds kMaxFailureDelay{10'000};

constexpr AuthWords kWords{
    .tls = "listen.tls with a mode other than \"disable\", and a ca",
    .hba_method = "method \"hba\"",
    .ident_file = "auth.ident_file",
};

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

std::string_view NameOf(AuthFault::Key key) {
  constexpr std::string_view kNames[] = {"method", "hba_file", "ident_file", "ident_map"};
  return kNames[static_cast<size_t>(key)];
}

void ReadRules(TableReader& reader, const std::filesystem::path& folder, const Listen& listen,
               Faults& faults, Auth& auth) {
  auth.hba_file = ReadPath(reader, "hba_file", folder);
  auth.ident_file = ReadPath(reader, "ident_file", folder);
  auth.ident_map = reader.Text("ident_map").value_or("");
  for (const AuthFault& fault : CheckAuthRules(auth, listen, kWords)) {
    if (fault.key == AuthFault::Key::kOtherFile) {
      faults.AddOfOtherFile(fault.message);
    } else {
      reader.Fault(NameOf(fault.key), fault.message);
    }
  }
}

void ReadQuery(TableReader& reader, Auth& auth) {
  auth.query = reader.Text("query").value_or("");
  if (auth.query == "default") auth.query = kDefaultAuthQuery;
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
