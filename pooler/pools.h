#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "base/mutex.h"
#include "base/status.h"
#include "config/config.h"
#include "pooler/pool.h"

namespace pgweir::pooler {

// The pools of the process, by node, database and login user. Thread-safe.
class Pools {
 public:
  explicit Pools(PoolServices services) : services_(services) {}

  // The pool for a client that authenticated as `user` and asked for `database_name`, which
  // `database` serves. `secret` is the user's entry in the users file, if there is one. The login
  // to the node is the connection string's own if it names a user, else the client's name with its
  // plain secret; 28000 when the secret is only a hash, which no server takes as a password.
  StatusOr<std::shared_ptr<Pool>> Get(const config::Config& config,
                                      const config::Database& database,
                                      const std::string& database_name, const std::string& user,
                                      const std::optional<std::string>& secret);

  // Puts changed limits and connection strings into effect; closes pools whose database is gone.
  void Reconfigure(const config::Config& config);
  // About once a second.
  void Maintain();
  void CloseAll();

 private:
  struct Key {
    std::string node, database, user;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::shared_ptr<Pool> pool;
    Target target;
  };

  const PoolServices services_;
  Mutex mutex_;
  std::map<Key, Entry> pools_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::pooler
