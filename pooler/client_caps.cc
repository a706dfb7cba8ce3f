#include "pooler/client_caps.h"

#include <utility>

namespace pgweir::pooler {
namespace {

using Map = absl::node_hash_map<std::string, int>;

int CountOf(const Map& map, const std::string& name) {
  const auto it = map.find(name);
  return it == map.end() ? 0 : it->second;
}

Map::value_type* Increment(Map& map, const std::string& name) {
  const auto it = map.try_emplace(name).first;
  ++it->second;
  return &*it;
}

void Decrement(Map& map, Map::value_type& count) {
  if (--count.second == 0) map.erase(map.find(count.first));
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
  ticket.counts_ = counts_;
  ticket.database_ = Increment(counts_->by_database, database_name);
  ticket.user_ = Increment(counts_->by_user, user);
  return ticket;
}

ClientCaps::Numbers ClientCaps::by_database() const {
  MutexLock lock(counts_->mutex);
  return {counts_->by_database.begin(), counts_->by_database.end()};
}

ClientCaps::Numbers ClientCaps::by_user() const {
  MutexLock lock(counts_->mutex);
  return {counts_->by_user.begin(), counts_->by_user.end()};
}

ClientCaps::Ticket& ClientCaps::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Release();
  counts_ = std::move(other.counts_);
  database_ = other.database_;
  user_ = other.user_;
  return *this;
}

void ClientCaps::Ticket::Release() {
  const auto counts = std::exchange(counts_, nullptr);
  if (counts == nullptr) return;
  MutexLock lock(counts->mutex);
  Decrement(counts->by_database, *database_);
  Decrement(counts->by_user, *user_);
}

}  // namespace pgweir::pooler
