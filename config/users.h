#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "base/strings.h"

// PgBouncer's userlist.txt: one `"name" "secret"` a line, `""` for a quote inside, ';' or '#'
// starting a comment line. A secret is "md5" and 32 hex digits, a "SCRAM-SHA-256$..." verifier, or
// the plain password.

namespace pgweir::config {

// A longer file is refused.
inline constexpr size_t kMaxUsersFileBytes = 64 << 20;

enum class SecretKind { kPlain, kMd5, kScram };
SecretKind KindOf(std::string_view secret);

class Users {
 public:
  // The user's secret as the file has it, or null. Lives as long as this object.
  const std::string* Find(std::string_view name) const;
  std::vector<std::string> Names() const;
  size_t size() const { return secrets_.size(); }
  // Rather SCRAM verifiers than secrets of another kind.
  bool most_have_verifiers() const { return 2 * verifiers_ > secrets_.size(); }

 private:
  friend StatusOr<Users> ParseUsers(std::string_view text, const std::string& path);
  absl::flat_hash_map<std::string, std::string, StringHash, StringEq> secrets_;
  size_t verifiers_ = 0;
};

// Errors read "FILE:LINE:COLUMN: ...", and never show a secret.
StatusOr<Users> LoadUsers(const std::string& path);
StatusOr<Users> ParseUsers(std::string_view text, const std::string& path);

}  // namespace pgweir::config
