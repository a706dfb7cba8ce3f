#include "proxy/user_secrets.h"

#include <algorithm>

#include "base/log.h"
#include "proxy/auth_query.h"

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{10'000};
// That a user is unknown is believed for so long at most.
constexpr milliseconds kUnknownFor{5'000};
// A secret that was just asked for is not asked for anew when it doesn't fit.
constexpr milliseconds kFresh{1'000};
// Clients that know no password may name databases.
constexpr size_t kMaxConnections = 64;

// The text of times is read: theirs is ISO and UTC.
constexpr const char* kOptions =
    "-c statement_timeout=10s -c timezone=UTC -c datestyle=ISO -c client_encoding=UTF8";

std::vector<std::pair<std::string, std::string>> KeywordsFor(const Snapshot& snapshot,
                                                             const std::string& user) {
  std::vector<std::pair<std::string, std::string>> keywords = {{"application_name", "pgweir auth"},
                                                               {"options", kOptions}};
  const std::string* secret = snapshot.users().Find(user);
  // Over the connection string's own user.
  if (!user.empty() && secret != nullptr && KindOf(*secret) == SecretKind::kPlain) {
    keywords.emplace_back("user", user);
    keywords.emplace_back("password", *secret);
  }
  return keywords;
}

// What a row of user, secret and, perhaps, time says.
UserSecret SecretIn(const AuthRow& row, const std::string& user) {
  // A function that returns no set answers with nulls.
  if (row.size() >= 2 && !row[0].has_value()) return {};
  if (row.size() < 2 || *row[0] != user) {
    LogWarn("auth.query must answer with the user's name and secret user=\"{}\" columns={}", user,
            row.size());
    return {};
  }
  UserSecret secret{.text = row[1]};
  if (row.size() < 3 || !row[2].has_value()) return secret;
  const auto until = ParseTimestamp(*row[2]);
  if (!until.has_value()) {
    LogWarn("auth.query's third column is no time: the user is kept out user=\"{}\"", user);
  }
  secret.valid_until = until.value_or(WallTime::min());
  return secret;
}

}  // namespace

net::Task<StatusOr<UserSecrets::Found>> UserSecrets::Find(Asking asking) {
  Found found;
  if (const std::string* secret = asking.snapshot.users().Find(asking.user); secret != nullptr) {
    found.secret.text = *secret;
    co_return found;
  }
  if (asking.query().sql.empty()) co_return found;
  const TimePoint now = Clock::now();
  if (auto cached = cache_.Find(asking.database, asking.user, now); cached.has_value()) {
    found.stale = now - cached->asked_at >= kFresh;
    found.secret = *std::move(cached);
    co_return found;
  }
  co_return co_await FindAnew(asking);
}

net::Task<StatusOr<UserSecrets::Found>> UserSecrets::FindAnew(Asking asking) {
  Found found;
  const config::Config& config = asking.snapshot.config();
  const config::AuthQuery query = asking.query();
  const std::string name = query.database.empty() ? asking.database : query.database;
  const config::Database* database = config.FindDatabase(name);
  if (database == nullptr) co_return found;
  auto secret = co_await Ask(asking, *database, name);
  if (!secret.ok()) co_return secret.status();
  secret->asked_at = Clock::now();
  const milliseconds keep = secret->text.has_value()
                                ? config.auth.query_cache
                                : std::min(config.auth.query_cache, kUnknownFor);
  if (keep > milliseconds::zero()) {
    cache_.Put(asking.database, asking.user, *secret, secret->asked_at + keep);
  }
  found.secret = *std::move(secret);
  co_return found;
}

net::Task<StatusOr<UserSecret>> UserSecrets::Ask(Asking asking, const config::Database& database,
                                                 std::string database_name) {
  const TimePoint login_deadline = asking.event.deadline();
  // PAUSE is no failure of the database: who logs in waits for RESUME.
  const TimePoint deadline = asking.pools.paused(database_name)
                                 ? login_deadline
                                 : std::min(login_deadline, Clock::now() + kPatience);
  asking.event.SetDeadline(deadline);
  StatusOr<std::optional<AuthRow>> row = std::optional<AuthRow>();
  const auto pool = PoolFor(asking, database, database_name);
  if (pool.ok()) {
    row = co_await RunAuthQuery(*pool, asking.event, asking.query().sql, asking.user);
  } else {
    row = pool.status();
  }
  // A shutdown may have moved it meanwhile.
  if (asking.event.deadline() == deadline) asking.event.SetDeadline(login_deadline);
  if (row.ok()) co_return row->has_value() ? SecretIn(**row, asking.user) : UserSecret();

  const std::string sqlstate = SqlStateOf(row.status());
  LogWarn("auth.query failed database=\"{}\" user=\"{}\" sqlstate={} reason=\"{}\"", database_name,
          asking.user, sqlstate, MessageOf(row.status()));
  // Which databases there are is nothing for those who have not said who they are.
  if (sqlstate == sqlstate::kInvalidCatalogName) co_return UserSecret();
  co_return Error(sqlstate::kCannotConnectNow,
                  "the secret of the user could not be looked up (pgweir's log says why)");
}

StatusOr<std::shared_ptr<pooler::Pool>> UserSecrets::PoolFor(const Asking& asking,
                                                             const config::Database& database,
                                                             const std::string& database_name) {
  const std::string user = asking.query().user;
  const std::string key = database_name + '\0' + user;
  MutexLock lock(mutex_);
  Connection& connection = connections_[key];
  connection.last_used = Clock::now();
  if (connection.pool != nullptr) {
    if (connection.snapshot == asking.snapshot.number()) return connection.pool;
    Retire(std::move(connection.pool));
  }
  config::Database asked = database;
  // It belongs to the connection string's user.
  if (!user.empty()) asked.login_secret.clear();
  auto pool = asking.pools.MakeDedicated(
      asking.snapshot.config(), {asked, database_name, user, asking.snapshot.users().Find(user)},
      KeywordsFor(asking.snapshot, user), "auth");
  if (!pool.ok()) {
    connections_.erase(key);
    return pool.status();
  }
  connection.pool = *pool;
  connection.snapshot = asking.snapshot.number();
  if (connections_.size() > kMaxConnections) {
    const auto oldest = std::min_element(
        connections_.begin(), connections_.end(),
        [](const auto& a, const auto& b) { return a.second.last_used < b.second.last_used; });
    Retire(std::move(oldest->second.pool));
    connections_.erase(oldest);
  }
  return pool;
}

void UserSecrets::Forget(const Asking& asking) { cache_.Drop(asking.database, asking.user); }

void UserSecrets::Maintain() {
  std::vector<std::shared_ptr<pooler::Pool>> pools;
  {
    MutexLock lock(mutex_);
    for (const auto& [database, connection] : connections_) pools.push_back(connection.pool);
    std::erase_if(retired_, [](const Retired& retired) { return retired.closed; });
    for (Retired& retired : retired_) {
      if (retired.pool.use_count() > 1) continue;
      retired.pool->Close();
      retired.closed = true;
    }
  }
  const TimePoint now = Clock::now();
  for (const auto& pool : pools) pool->Maintain(now);
}

void UserSecrets::Reset() {
  cache_.Clear();
  MutexLock lock(mutex_);
  for (auto& [database, connection] : connections_) Retire(std::move(connection.pool));
  connections_.clear();
}

void UserSecrets::CloseAll() {
  Reset();
  MutexLock lock(mutex_);
  for (Retired& retired : retired_) retired.pool->Close();
}

void UserSecrets::Retire(std::shared_ptr<pooler::Pool> pool) {
  retired_.push_back({.pool = std::move(pool)});
}

}  // namespace pgweir::proxy
