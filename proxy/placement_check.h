#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "pooler/target.h"
#include "router/shard_map.h"

namespace pgweir::proxy {

// Asks all nodes of a database, once for each shard map, whether their tables suit it, and says in
// the log what doesn't: on a thread and connections of its own, which it closes again. Thread-safe.
class PlacementCheck {
 public:
  PlacementCheck();
  // A question under way is waited for, within its time-out.
  ~PlacementCheck();
  // Asks no more. Whether a question under way has ended by the deadline.
  bool Stop(TimePoint deadline);
  PlacementCheck(const PlacementCheck&) = delete;
  PlacementCheck& operator=(const PlacementCheck&) = delete;

  // Whether this map's database has been or is to be asked.
  bool Knows(const std::string& database, const router::ShardMapRef& map) const;
  // `nodes`: how to log in to each, by its name. A guess counts for nothing where a node can't be
  // looked at so; another login may do.
  using Nodes = std::vector<std::pair<std::string, pooler::Target>>;
  enum class Login : uint8_t { kClients, kGuess };
  void Want(const std::string& database, const router::ShardMapRef& map, Nodes nodes, Login login);

 private:
  struct Question {
    std::string database;
    router::ShardMapRef map;
    Nodes nodes;
    Login login = Login::kClients;
  };
  void Run();
  void Answer(const Question& question);
  void Forget(const Question& question);

  mutable Mutex mutex_;
  std::deque<Question> questions_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, router::ShardMapRef> known_ ABSL_GUARDED_BY(mutex_);  // by database
  std::atomic<bool> stopping_{false};
  std::counting_semaphore<> wanted_{0};
  std::binary_semaphore ended_{0};
  std::thread thread_;
};

}  // namespace pgweir::proxy
