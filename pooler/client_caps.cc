#include "pooler/client_caps.h"

#include <utility>

#include "base/check.h"

namespace pgweir::pooler {
namespace {

using Map = absl::flat_hash_map<std::string, int>;

int CountOf(const Map& map, const std::string& name) {
  const auto it = map.find(name);
  return it == map.end() ? 0 : it->second;
}

void Decrement(Map& map, const std::string& name) {
  const auto it = map.find(name);
  PGWEIR_CHECK(it != map.end());
  if (--it->second == 0) map.erase(it);
}

Status Refusal(std::string_view kind, const std::string& name, int connected,
               std::string_view key) {
  return Errorf(sqlstate::kTooManyConnections,
                "too many clients of {} \"{}\" already: {} are connected ({})", kind, name,
                connected, key);
}

}  // namespace

ClientCaps::ClientCaps() : counts_(std::make_shared<Counts>()) {}

StatusOr<ClientCaps::Ticket> ClientCaps::Admit(const config::Config& config,
                                               const config::Database& database,
                                               const std::string& database_name,
                                               const std::string& user) {
  const int database_limit = database.pool.max_db_client_connections;
  const int user_limit = config.UserPool(user).max_user_client_connections;
  Ticket ticket;
  MutexLock lock(counts_->mutex);
  const int of_database = CountOf(counts_->by_database, database_name);
  if (database_limit > 0 && of_database >= database_limit) {
    return Refusal("database", database_name, of_database, "pool.max_db_client_connections");
  }
  const int of_user = CountOf(counts_->by_user, user);
  if (user_limit > 0 && of_user >= user_limit) {
    return Refusal("user", user, of_user, "pool.max_user_client_connections");
  }
  ++counts_->by_database[database_name];
  ++counts_->by_user[user];
  ticket.counts_ = counts_;
  ticket.database_ = database_name;
  ticket.user_ = user;
  return ticket;
}

ClientCaps::Numbers ClientCaps::by_database() const {
  MutexLock lock(counts_->mutex);
  return counts_->by_database;
}

ClientCaps::Numbers ClientCaps::by_user() const {
  MutexLock lock(counts_->mutex);
  return counts_->by_user;
}

ClientCaps::Ticket& ClientCaps::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Release();
  counts_ = std::move(other.counts_);
  database_ = std::move(other.database_);
  user_ = std::move(other.user_);
  return *this;
}

void ClientCaps::Ticket::Release() {
  const auto counts = std::exchange(counts_, nullptr);
  if (counts == nullptr) return;
  MutexLock lock(counts->mutex);
  Decrement(counts->by_database, database_);
  Decrement(counts->by_user, user_);
}

}  // namespace pgweir::pooler
