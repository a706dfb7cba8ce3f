#include "pooler/pools.h"

#include <optional>
#include <vector>

#include "config/users.h"
#include "pooler/conninfo.h"

namespace pgweir::pooler {
namespace {

// Only "*" hands the client's database name on; other entries say themselves where they lead.
std::string DatabaseOverride(const config::Database& database, const std::string& name) {
  return database.name == "*" && !database.keeps_dbname ? name : "";
}

// Of a secret that libpq can't log in with; none of a plain one. A SCRAM login is null as long as
// no client has proved the keys.
std::optional<wire::HashedLogin> HashedLoginOf(const std::string& user, const std::string& secret,
                                               const LoginKeys& keys) {
  switch (config::KindOf(secret)) {
    case config::SecretKind::kPlain:
      return std::nullopt;
    case config::SecretKind::kMd5:
      return wire::HashedLogin(wire::Md5Login{secret});
    case config::SecretKind::kScram:
      break;
  }
  return wire::HashedLogin(keys.Find(user, secret));
}

Status KeysMissing(const Pools::Client& client, std::string_view user) {
  return Errorf(
      sqlstate::kInvalidAuthorization,
      "cannot log in to node \"{}\" as \"{}\": only a SCRAM secret of the user is known, and no "
      "client has yet proved its keys by logging in with scram-sha-256 (put the plain password "
      "into auth.users_file, or a user and password into the connection string of database \"{}\")",
      client.database.node.name, user, client.database_name);
}

// Each cap is what its own kind's section says, whichever pool it is asked for.
int LimitOf(const config::Config& config, const Quota& quota) {
  switch (quota.kind()) {
    case Quota::Kind::kDatabase: {
      const config::Database* database = config.FindDatabase(quota.name());
      return database == nullptr ? 0 : database->pool.max_db_connections;
    }
    case Quota::Kind::kUser:
      return config.UserPool(quota.name()).max_user_connections;
    case Quota::Kind::kNode:
      break;
  }
  return config.MaxNodeConnections(quota.name());
}

}  // namespace

StatusOr<Pools::Login> Pools::LoginFor(const Client& client) const {
  StatusOr<std::string> node_user = UserIn(client.database.node.primary);
  if (!node_user.ok()) return node_user.status();
  Login login;
  login.user = *std::move(node_user);
  login.target.node = client.database.node.name;
  login.target.connection_string = client.database.node.primary;
  login.target.database = DatabaseOverride(client.database, client.database_name);
  const std::string* secret = client.secret;
  if (!login.user.empty()) {
    if (client.database.login_secret.empty()) return login;
    secret = &client.database.login_secret;
  } else {
    login.user = client.user;
    login.target.user = client.user;
  }
  if (secret == nullptr) return login;
  login.target.hashed = HashedLoginOf(login.user, *secret, keys_);
  if (!login.target.complete()) return KeysMissing(client, login.user);
  if (!login.target.hashed) login.target.password = *secret;
  return login;
}

void Pools::ForgetKeysUnless(
    absl::FunctionRef<bool(const std::string&, const std::string&)> keeps) {
  keys_.ForgetUnless(keeps);
  MutexLock lock(mutex_);
  for (auto& [key, entry] : pools_) {
    auto* scram =
        entry.target.hashed ? std::get_if<wire::ScramLoginRef>(&*entry.target.hashed) : nullptr;
    if (scram == nullptr || *scram == nullptr) continue;
    if (keys_.Keeps(key.user, *scram)) continue;
    scram->reset();
    entry.pool->ForgetKeys();
  }
}

Pool::Caps Pools::CapsFor(const config::Config& config, const Key& key) {
  Pool::Caps caps{
      quotas_,
      {quotas_->Get(Quota::Kind::kDatabase, key.database),
       quotas_->Get(Quota::Kind::kUser, key.user), quotas_->Get(Quota::Kind::kNode, key.node)}};
  for (const auto& quota : caps.of) quotas_->SetLimit(*quota, LimitOf(config, *quota));
  return caps;
}

StatusOr<std::shared_ptr<Pool>> Pools::Get(const config::Config& config, const Client& client) {
  const StatusOr<Login> login = LoginFor(client);
  if (!login.ok()) return login.status();
  const config::Pool limits = config.PoolFor(client.database, login->user);
  MutexLock lock(mutex_);
  const Key key{client.database.node.name, client.database_name, login->user};
  Entry& entry = pools_[key];
  if (entry.pool == nullptr) {
    entry.target = login->target;
    entry.pool = Pool::Make(fmt::format("{}/{}", client.database_name, login->user), login->target,
                            limits, CapsFor(config, key), services_);
    if (IsPaused(key.database)) entry.pool->SetPaused(true);
  } else if (client.configuration >= configuration_ && !(entry.target == login->target)) {
    entry.target = login->target;
    entry.pool->Reconfigure(login->target, limits);
  }
  return entry.pool;
}

StatusOr<std::shared_ptr<Pool>> Pools::MakeDedicated(
    const config::Config& config, const Client& client,
    std::vector<std::pair<std::string, std::string>> keywords, std::string_view purpose) {
  StatusOr<Login> login = LoginFor(client);
  if (!login.ok()) return login.status();
  config::Pool limits = config.PoolFor(client.database, login->user);
  limits.mode = config::PoolMode::kSession;
  limits.size = 1;
  limits.overflow = 0;
  limits.min_size = 0;
  login->target.keywords = std::move(keywords);
  const Key key{client.database.node.name, client.database_name, login->user};
  auto pool = Pool::Make(fmt::format("{}/{} ({})", client.database_name, login->user, purpose),
                         login->target, limits, CapsFor(config, key), services_);
  MutexLock lock(mutex_);
  if (IsPaused(key.database)) pool->SetPaused(true);
  std::erase_if(dedicated_, [](const auto& entry) { return entry.second.expired(); });
  dedicated_.emplace_back(key, pool);
  return pool;
}

void Pools::Reconfigure(const config::Config& config, uint64_t number) {
  MutexLock lock(mutex_);
  configuration_ = number;
  for (const auto& quota : quotas_->All()) quotas_->SetLimit(*quota, LimitOf(config, *quota));
  for (auto it = pools_.begin(); it != pools_.end();) {
    auto& [key, entry] = *it;
    const config::Database* database = config.FindDatabase(key.database);
    if (database == nullptr || database->node.name != key.node) {
      entry.pool->Close();
      it = pools_.erase(it);
      continue;
    }
    entry.target.connection_string = database->node.primary;
    entry.target.node = database->node.name;
    entry.target.database = DatabaseOverride(*database, key.database);
    // Without a user of its own the target is the connection string's, and so is the secret.
    if (entry.target.user.empty()) {
      entry.target.hashed = HashedLoginOf(key.user, database->login_secret, keys_);
    }
    entry.pool->Reconfigure(entry.target, config.PoolFor(*database, key.user));
    ++it;
  }
}

void Pools::Maintain() {
  std::vector<std::shared_ptr<Pool>> pools;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, entry] : pools_) pools.push_back(entry.pool);
  }
  const TimePoint now = Clock::now();
  for (const auto& pool : pools) pool->Maintain(now);
  quotas_->Prune();
}

void Pools::CloseAll() {
  quotas_->Stop();
  MutexLock lock(mutex_);
  for (auto& [key, entry] : pools_) entry.pool->Close();
  pools_.clear();
}

}  // namespace pgweir::pooler
