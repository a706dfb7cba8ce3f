#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/task.h"
#include "pooler/pools.h"
#include "proxy/secret_cache.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// Where the secrets of users come from: the users file, else auth.query, whose answers are
// remembered for a while. The query runs on connections that no client's statement and no client's
// setting ever sees. Thread-safe.
class UserSecrets {
 public:
  struct Asking {
    const Snapshot& snapshot;
    pooler::Pools& pools;
    net::Event& event;  // of the session that waits
    const std::string& user;
    const std::string& database;

    config::AuthQuery query() const { return snapshot.config().AuthQueryFor(database); }
  };
  struct Found {
    UserSecret secret;
    // Remembered for so long that the database may say something else now.
    bool stale = false;
  };

  // An error when the database could not be asked: what a client may know of it. The references
  // live until the task is done.
  net::Task<StatusOr<Found>> Find(Asking asking);
  // As Find, without what is remembered.
  net::Task<StatusOr<Found>> FindAnew(Asking asking);
  // A login with it has failed.
  void Forget(const Asking& asking);

  // About once a second: closes connections that are not needed.
  void Maintain();
  // The configuration is a new one: forgets all, and closes connections when nobody waits for them.
  void Reset();
  // At the end.
  void CloseAll();

 private:
  struct Connection {
    std::shared_ptr<pooler::Pool> pool;
    uint64_t snapshot = 0;  // number of the one that it was made by
    TimePoint last_used;
  };
  // A pool that gets no new questions. It is closed when nobody waits in it any more, and given up
  // later: an event of its socket may still be on its way.
  struct Retired {
    std::shared_ptr<pooler::Pool> pool;
    bool closed = false;
  };

  StatusOr<std::shared_ptr<pooler::Pool>> PoolFor(const Asking& asking,
                                                  const config::Database& database,
                                                  const std::string& database_name);
  void Retire(std::shared_ptr<pooler::Pool> pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  net::Task<StatusOr<UserSecret>> Ask(Asking asking, const config::Database& database,
                                      std::string database_name);

  SecretCache cache_;
  Mutex mutex_;
  std::map<std::string, Connection> connections_ ABSL_GUARDED_BY(mutex_);  // by database and asker
  std::vector<Retired> retired_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
