#include "pooler/pools.h"

#include <vector>

#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::pooler {
namespace {

bool IsHash(const std::string& secret) {
  return (secret.size() == 35 && absl::StartsWith(secret, "md5")) ||
         absl::StartsWith(secret, "SCRAM-SHA-256$");
}

// Only "*" hands the client's database name on; other entries say themselves where they lead.
std::string DatabaseOverride(const config::Database& database, const std::string& name) {
  return database.name == "*" ? name : "";
}

}  // namespace

StatusOr<std::shared_ptr<Pool>> Pools::Get(const config::Config& config,
                                           const config::Database& database,
                                           const std::string& database_name,
                                           const std::string& user,
                                           const std::optional<std::string>& secret) {
  const StatusOr<std::string> node_user = UserIn(database.node.primary);
  if (!node_user.ok()) return node_user.status();
  Target target;
  target.connection_string = database.node.primary;
  target.database = DatabaseOverride(database, database_name);
  std::string login = *node_user;
  if (login.empty()) {
    if (secret.has_value() && IsHash(*secret)) {
      return Errorf(sqlstate::kInvalidAuthorization,
                    "cannot log in to the server as \"{}\": only a hash of the password is known "
                    "(put the plain password into auth.users_file, or a user and password into the "
                    "connection string of database \"{}\")",
                    user, database_name);
    }
    login = user;
    target.user = user;
    target.password = secret.value_or("");
  }
  const config::Pool limits = config.PoolFor(database, login);
  MutexLock lock(mutex_);
  Entry& entry = pools_[Key{database.node.name, database_name, login}];
  if (entry.pool == nullptr) {
    entry.target = target;
    entry.pool = std::make_shared<Pool>(fmt::format("{}/{}", database_name, login), target, limits,
                                        services_);
  } else if (!(entry.target == target)) {
    entry.target = target;
    entry.pool->Reconfigure(target, limits);
  }
  return entry.pool;
}

void Pools::Reconfigure(const config::Config& config) {
  MutexLock lock(mutex_);
  for (auto it = pools_.begin(); it != pools_.end();) {
    auto& [key, entry] = *it;
    const config::Database* database = config.FindDatabase(key.database);
    if (database == nullptr || database->node.name != key.node) {
      entry.pool->Close();
      it = pools_.erase(it);
      continue;
    }
    entry.target.connection_string = database->node.primary;
    entry.target.database = DatabaseOverride(*database, key.database);
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
}

void Pools::CloseAll() {
  MutexLock lock(mutex_);
  for (auto& [key, entry] : pools_) entry.pool->Close();
  pools_.clear();
}

}  // namespace pgweir::pooler
