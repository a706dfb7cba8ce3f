#include "pooler/pools.h"

#include <algorithm>
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
      client.node().name, user, client.database_name);
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

// Whether a server that has a pool of its own is one of the node's.
bool StillThere(const NodeViewRef& view, const std::string& server) {
  if (server.empty()) return true;
  return view != nullptr && std::ranges::any_of(view->servers, [&](const ServerView& one) {
           return one.connection_string == server;
         });
}

}  // namespace

StatusOr<Pools::Login> Pools::LoginFor(const Client& client, const LoginKeys& keys) {
  StatusOr<std::string> node_user = UserIn(client.node().primary);
  if (!node_user.ok()) return node_user.status();
  Login login;
  login.user = *std::move(node_user);
  login.target.node = client.node().name;
  login.target.connection_string = client.node().primary;
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
  login.target.hashed = HashedLoginOf(login.user, *secret, keys);
  if (!login.target.complete()) return KeysMissing(client, login.user);
  if (!login.target.hashed) login.target.password = *secret;
  return login;
}

StatusOr<Target> Pools::TargetFor(const Client& client) {
  StatusOr<Login> login = LoginFor(client, LoginKeys());
  if (!login.ok()) return login.status();
  return std::move(login->target);
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
  return GetOrMake(config, client, nullptr);
}

StatusOr<std::shared_ptr<Pool>> Pools::GetFor(const config::Config& config, const Client& client,
                                              const ServerView& server) {
  return GetOrMake(config, client, &server);
}

// `server` null = the primary.
StatusOr<std::shared_ptr<Pool>> Pools::GetOrMake(const config::Config& config, const Client& client,
                                                 const ServerView* server) {
  StatusOr<Login> login = LoginFor(client, keys_);
  if (!login.ok()) return login.status();
  Target& target = login->target;
  const config::Pool limits = config.PoolFor(client.database, login->user);
  MutexLock lock(mutex_);
  const NodeViewRef view = ViewOf(client.database.name, client.node().name);
  Key key{client.node().name, client.database_name, login->user, ""};
  std::string name = fmt::format("{}/{}", client.database_name, login->user);
  if (client.node().name != client.database.node.name) name += "@" + client.node().name;
  if (server != nullptr) {
    key.server = target.connection_string = server->connection_string;
    target.watch = server->watch;
    name += fmt::format("@{}:{}", server->host, server->port);
  } else {
    LeadToPrimary(view, target);
  }
  Entry& entry = pools_[key];
  if (entry.pool == nullptr) {
    entry.target = target;
    entry.served_by = client.database.name;
    entry.pool = Pool::Make(std::move(name), target, limits, CapsFor(config, key), services_);
    if (IsPaused(key.database)) entry.pool->SetPaused(true);
    if (server == nullptr && view != nullptr) entry.pool->SetHeadless(view->headless);
    return entry.pool;
  }
  if (server == nullptr && view != nullptr && view->headless) {
    target.connection_string = entry.target.connection_string;
    target.watch = entry.target.watch;
  }
  if (client.configuration >= configuration_ && !(entry.target == target)) {
    entry.target = target;
    entry.pool->Reconfigure(target, limits);
  }
  return entry.pool;
}

StatusOr<std::shared_ptr<Pool>> Pools::MakeDedicated(
    const config::Config& config, const Client& client,
    std::vector<std::pair<std::string, std::string>> keywords, std::string_view purpose) {
  StatusOr<Login> login = LoginFor(client, keys_);
  if (!login.ok()) return login.status();
  config::Pool limits = config.PoolFor(client.database, login->user);
  limits.mode = config::PoolMode::kSession;
  limits.size = 1;
  limits.overflow = 0;
  limits.min_size = 0;
  login->target.keywords = std::move(keywords);
  const Key key{client.node().name, client.database_name, login->user, ""};
  MutexLock lock(mutex_);
  const NodeViewRef view = ViewOf(client.database.name, key.node);
  LeadToPrimary(view, login->target);
  auto pool = Pool::Make(fmt::format("{}/{} ({})", client.database_name, login->user, purpose),
                         login->target, limits, CapsFor(config, key), services_);
  if (IsPaused(key.database)) pool->SetPaused(true);
  if (view != nullptr) pool->SetHeadless(view->headless);
  std::erase_if(dedicated_, [](const Dedicated& one) { return one.pool.expired(); });
  dedicated_.push_back({key, pool, client.database.name});
  return pool;
}

// --- nodes ---

NodeViewRef Pools::ViewOf(const std::string& database, const std::string& node) const {
  const auto it = views_.find({database, node});
  return it == views_.end() ? nullptr : it->second;
}

// As long as it is not known which server is the primary, libpq goes by the connection string.
void Pools::LeadToPrimary(const NodeViewRef& view, Target& target) const {
  if (view == nullptr) return;
  if (view->primary < 0) {
    // Without a primary nothing is opened, wherever the pool leads.
    if (view->headless) return;
    target.connection_string = view->configured_primary;
    target.watch = nullptr;
    return;
  }
  const ServerView& primary = view->servers[static_cast<size_t>(view->primary)];
  target.connection_string = primary.connection_string;
  target.watch = primary.watch;
}

void Pools::Follow(const NodeViewRef& view) {
  MutexLock lock(mutex_);
  NodeViewRef& known = views_[{view->database, view->node}];
  if (known != nullptr && known->version >= view->version) return;
  known = view;
  for (auto& [key, entry] : pools_) {
    const bool concerned =
        key.server.empty() && key.node == view->node && entry.served_by == view->database;
    if (!concerned) continue;
    LeadToPrimary(view, entry.target);
    entry.pool->Reconfigure(entry.target);
    entry.pool->SetHeadless(view->headless);
  }
  for (const Dedicated& one : dedicated_) {
    const std::shared_ptr<Pool> pool = one.pool.lock();
    if (pool == nullptr || one.key.node != view->node || one.served_by != view->database) continue;
    Target target = pool->target();
    LeadToPrimary(view, target);
    pool->Reconfigure(std::move(target));
    pool->SetHeadless(view->headless);
  }
}

void Pools::Reconfigure(const config::Config& config, uint64_t number) {
  MutexLock lock(mutex_);
  configuration_ = number;
  for (const auto& quota : quotas_->All()) quotas_->SetLimit(*quota, LimitOf(config, *quota));
  std::erase_if(views_, [&](const auto& known) {
    const auto it = config.databases.find(known.first.first);
    return it == config.databases.end() || it->second.FindNode(known.first.second) == nullptr;
  });
  for (auto it = pools_.begin(); it != pools_.end();) {
    auto& [key, entry] = *it;
    const config::Database* database = config.FindDatabase(key.database);
    const config::Node* node = database == nullptr ? nullptr : database->FindNode(key.node);
    const NodeViewRef view = node != nullptr ? ViewOf(database->name, key.node) : nullptr;
    if (node == nullptr || !StillThere(view, key.server)) {
      entry.pool->Close();
      it = pools_.erase(it);
      continue;
    }
    entry.served_by = database->name;
    entry.target.node = node->name;
    entry.target.database = DatabaseOverride(*database, key.database);
    if (key.server.empty() && view == nullptr) {
      entry.target.connection_string = node->primary;
    } else if (key.server.empty()) {
      LeadToPrimary(view, entry.target);
    }
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
