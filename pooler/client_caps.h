#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "base/mutex.h"
#include "base/status.h"
#include "config/config.h"

namespace pgweir::pooler {

// How many clients are logged in, by database and by user, under pool.max_db_client_connections and
// pool.max_user_client_connections. Thread-safe.
class ClientCaps {
  struct Counts;
  using CountMap = absl::node_hash_map<std::string, int>;  // by name
  using Count = CountMap::value_type;

 public:
  ClientCaps();

  // A client's presence in the counts; the destructor, on any thread, ends it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { Release(); }

   private:
    friend class ClientCaps;
    void Release();
    std::shared_ptr<Counts> counts_;  // null = counted nowhere
    Count* database_ = nullptr;       // of them, those that it is counted in
    Count* user_ = nullptr;
  };

  // Counts one more; 53300 when a cap is reached. `database_name` is what the client asked for,
  // `database` the entry that serves it.
  StatusOr<Ticket> Admit(const config::Config& config, const config::Database& database,
                         const std::string& database_name, const std::string& user);

  using Numbers = absl::flat_hash_map<std::string, int>;  // by name; those that are not 0
  Numbers by_database() const;
  Numbers by_user() const;

 private:
  struct Counts {
    Mutex mutex;
    CountMap by_database ABSL_GUARDED_BY(mutex);
    CountMap by_user ABSL_GUARDED_BY(mutex);
  };
  const std::shared_ptr<Counts> counts_;
};

}  // namespace pgweir::pooler
