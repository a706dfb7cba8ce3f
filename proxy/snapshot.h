#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "base/status.h"
#include "config/config.h"
#include "config/hba.h"
#include "config/ident_map.h"
#include "config/users.h"
#include "net/tls.h"
#include "query-cache/rules.h"
#include "router/shard_map.h"
#include "wire/scram.h"

namespace pgweir::proxy {

// Everything that a reload replaces: configuration, users, certificates. Shared by all threads and
// never changed; each session takes the newest one at its login.
class Snapshot {
 public:
  static StatusOr<std::shared_ptr<const Snapshot>> Load(const std::string& config_path);

  // The same with another configuration.
  std::shared_ptr<const Snapshot> With(config::Config config) const;

  // Of this one; no other in the process has the same.
  uint64_t number() const { return number_; }
  const config::Config& config() const { return config_; }
  const config::Users& users() const { return users_; }
  const config::HbaRules& hba() const { return hba_; }
  const config::IdentMaps& ident_maps() const { return ident_maps_; }
  const config::OwnAddresses& own_addresses() const { return own_addresses_; }
  // Of the configuration's entry of this name; null when one node holds everything.
  router::ShardMapRef ShardMapOf(const std::string& database) const;
  // What may be cached.
  const std::shared_ptr<const cache::Rules>& cache_rules() const { return cache_rules_; }
  // Null when TLS is off.
  const std::shared_ptr<const net::TlsContext>& tls() const { return tls_; }

  // The SCRAM verifier of a user: from its secret, or one that no password fits when it has none
  // (null) or one of another kind. Derived once from a plain secret, then remembered.
  wire::ScramVerifier VerifierFor(const std::string& user, const std::string* secret) const;

 private:
  static uint64_t NextNumber();
  // What has been made of plain secrets; also of snapshots with the same ones.
  struct Derived {
    struct Secret {
      std::string secret;
      wire::ScramVerifier verifier;
    };
    Mutex mutex;
    absl::flat_hash_map<std::string, Secret> secrets ABSL_GUARDED_BY(mutex);
  };

  Status CheckDatabases(const std::string& config_path) const;
  void CompileShardMaps();
  Status CompileCacheRules();
  Status LoadAuthFiles();
  Status LoadTls();

  uint64_t number_ = NextNumber();
  config::Config config_;
  std::map<std::string, router::ShardMapRef> shard_maps_;  // by database
  std::shared_ptr<const cache::Rules> cache_rules_;
  config::Users users_;
  config::HbaRules hba_;
  config::IdentMaps ident_maps_;
  config::OwnAddresses own_addresses_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::shared_ptr<Derived> derived_ = std::make_shared<Derived>();
};

using SnapshotRef = std::shared_ptr<const Snapshot>;

// The newest one, from one moment on for all threads. Thread-safe.
class LatestSnapshot {
 public:
  explicit LatestSnapshot(SnapshotRef first) { Set(std::move(first)); }
  void Set(SnapshotRef snapshot) {
    const MutexLock lock(mutex_);
    snapshot_ = std::move(snapshot);
    number_.store(snapshot_->number(), std::memory_order_release);
  }
  SnapshotRef Get() const {
    const MutexLock lock(mutex_);
    return snapshot_;
  }
  uint64_t number() const { return number_.load(std::memory_order_acquire); }

 private:
  mutable Mutex mutex_;
  SnapshotRef snapshot_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> number_{0};
};

using config::KindOf;
using config::SecretKind;

}  // namespace pgweir::proxy
