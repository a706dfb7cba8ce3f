#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "base/status.h"
#include "config/config.h"
#include "config/users.h"
#include "net/tls.h"
#include "wire/scram.h"

namespace pgweir::proxy {

// Everything that a reload replaces: configuration, users, certificates. Shared by all threads and
// never changed; each session takes the newest one at its login.
class Snapshot {
 public:
  static StatusOr<std::shared_ptr<const Snapshot>> Load(const std::string& config_path);

  // The same with another configuration.
  std::shared_ptr<const Snapshot> With(config::Config config) const;

  const config::Config& config() const { return config_; }
  const config::Users& users() const { return users_; }
  // Null when TLS is off.
  const std::shared_ptr<const net::TlsContext>& tls() const { return tls_; }

  // The SCRAM verifier of a user: from its secret, or one that no password fits when the user is
  // unknown or has a secret of another kind. Derived once from a plain secret, then remembered.
  wire::ScramVerifier VerifierFor(const std::string& user) const;

 private:
  config::Config config_;
  config::Users users_;
  std::shared_ptr<const net::TlsContext> tls_;
  struct Derived {
    Mutex mutex;
    absl::flat_hash_map<std::string, wire::ScramVerifier> verifiers ABSL_GUARDED_BY(mutex);
  };
  std::shared_ptr<Derived> derived_ = std::make_shared<Derived>();
};

using SnapshotRef = std::shared_ptr<const Snapshot>;

// What kind of secret an entry of the users file is.
enum class SecretKind { kPlain, kMd5, kScram };
SecretKind KindOf(std::string_view secret);

}  // namespace pgweir::proxy
