#include "proxy/snapshot.h"

#include <openssl/rand.h>

#include <atomic>

#include "base/check.h"
#include "config/loader.h"
#include "pooler/conninfo.h"
#include "proxy/nodes.h"
#include "proxy/own_addresses.h"

namespace pgweir::proxy {
namespace {

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  PGWEIR_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

// Of the process, so that an unknown user's salt survives reloads.
const std::string& MockSecret() {
  static const std::string secret = RandomBytes(32);
  return secret;
}

}  // namespace

StatusOr<std::shared_ptr<const Snapshot>> Snapshot::Load(const std::string& config_path) {
  auto snapshot = std::make_shared<Snapshot>();
  auto config = config::Load(config_path);
  if (!config.ok()) return config.status();
  snapshot->config_ = std::move(*config);
  const Status sound = snapshot->CheckDatabases(config_path);
  if (!sound.ok()) return sound;
  snapshot->CompileShardMaps();
  const Status rules = snapshot->CompileCacheRules();
  if (!rules.ok()) return rules;
  const Status files = snapshot->LoadAuthFiles();
  if (!files.ok()) return files;
  const Status tls = snapshot->LoadTls();
  if (!tls.ok()) return tls;
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

// What only libpq knows of the connection strings, and what does not go together.
Status Snapshot::CheckDatabases(const std::string& config_path) const {
  const auto fault = [&](const std::string& database, std::string_view what) {
    return Errorf(sqlstate::kConfigFileError, "{}: databases.{}: {}", config_path, database, what);
  };
  for (const auto& [name, database] : config_.databases) {
    const config::AuthQuery query = config_.AuthQueryFor(name);
    for (const config::Node& node : database.all_nodes()) {
      const auto user = pooler::UserIn(node.primary);
      if (!user.ok()) return fault(name, MessageOf(user.status()));
      if (query.sql.empty() || !query.user.empty() || !user->empty()) continue;
      return Errorf(sqlstate::kConfigFileError,
                    "{}: auth.query needs auth.query_user, or a user in the connection string of "
                    "databases.{}",
                    config_path, name);
    }
    if (database.shard_map != nullptr && database.pool.mode == config::PoolMode::kSession) {
      return fault(name,
                   "pool.mode must be transaction or statement where there is a shard_map: in "
                   "session mode a client keeps one server");
    }
  }
  for (const pooler::NodeSettings& node : NodesOf(config_)) {
    const auto servers = pooler::ServersOf(node);
    if (!servers.ok()) return fault(node.database, MessageOf(servers.status()));
  }
  return absl::OkStatus();
}

void Snapshot::CompileShardMaps() {
  for (const auto& [name, database] : config_.databases) {
    if (database.shard_map == nullptr) continue;
    std::vector<std::string> nodes;
    for (const config::Node& node : database.all_nodes()) nodes.push_back(node.name);
    shard_maps_[name] = router::ShardMap::Compile(*database.shard_map, nodes);
  }
}

Status Snapshot::CompileCacheRules() {
  auto rules = cache::Rules::Compile(config_.cache.rules);
  if (!rules.ok()) return rules.status();
  cache_rules_ = std::make_shared<const cache::Rules>(*std::move(rules));
  return absl::OkStatus();
}

router::ShardMapRef Snapshot::ShardMapOf(const std::string& database) const {
  const auto found = shard_maps_.find(database);
  return found == shard_maps_.end() ? nullptr : found->second;
}

std::shared_ptr<const Snapshot> Snapshot::With(config::Config config) const {
  auto snapshot = std::make_shared<Snapshot>(*this);
  snapshot->number_ = NextNumber();
  snapshot->config_ = std::move(config);
  return snapshot;
}

uint64_t Snapshot::NextNumber() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

Status Snapshot::LoadAuthFiles() {
  const config::Auth& auth = config_.auth;
  if (!auth.users_file.empty()) {
    auto users = config::LoadUsers(auth.users_file);
    if (!users.ok()) return users.status();
    users_ = *std::move(users);
  }
  if (!auth.ident_file.empty()) {
    auto maps = config::LoadIdentMaps(auth.ident_file);
    if (!maps.ok()) return maps.status();
    ident_maps_ = *std::move(maps);
  }
  if (auth.method != config::AuthMethod::kHba) return absl::OkStatus();
  auto rules = config::LoadHba(auth.hba_file);
  if (!rules.ok()) return rules.status();
  hba_ = *std::move(rules);
  own_addresses_ = FindOwnAddresses();
  return absl::OkStatus();
}

Status Snapshot::LoadTls() {
  using Verify = net::TlsContext::Verify;
  const config::Tls& tls = config_.listen.tls;
  if (tls.mode == config::TlsMode::kDisable) return absl::OkStatus();
  const bool required =
      tls.mode == config::TlsMode::kVerifyCa || tls.mode == config::TlsMode::kVerifyFull;
  // Whoever need not show a certificate is not asked for one: a wrong one would keep it out.
  const bool wanted = config_.auth.method == config::AuthMethod::kCert || hba_.wants_certificates();
  auto context = net::TlsContext::Load(
      tls.certificate, tls.key, tls.ca,
      required ? Verify::kRequired : (wanted ? Verify::kIfShown : Verify::kNone));
  if (!context.ok()) return context.status();
  tls_ = *std::move(context);
  return absl::OkStatus();
}

wire::ScramVerifier Snapshot::VerifierFor(const std::string& user,
                                          const std::string* secret) const {
  if (secret == nullptr || secret->empty()) return wire::MockScramVerifier(user, MockSecret());
  switch (KindOf(*secret)) {
    case SecretKind::kMd5:
      return wire::MockScramVerifier(user, MockSecret());
    case SecretKind::kScram: {
      auto verifier = wire::ParseScramVerifier(*secret);
      return verifier.ok() ? *std::move(verifier) : wire::MockScramVerifier(user, MockSecret());
    }
    case SecretKind::kPlain:
      break;
  }
  {
    MutexLock lock(derived_->mutex);
    const auto it = derived_->secrets.find(user);
    if (it != derived_->secrets.end() && it->second.secret == *secret) return it->second.verifier;
  }
  auto verifier = wire::MakeScramVerifier(*secret, RandomBytes(16), wire::kScramDefaultIterations);
  MutexLock lock(derived_->mutex);
  Derived::Secret& derived = derived_->secrets[user];
  // Of two at once, the first counts: the salt that was told is to stay.
  if (derived.secret != *secret) derived = {*secret, std::move(verifier)};
  return derived.verifier;
}

}  // namespace pgweir::proxy
