#pragma once

#include <atomic>
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

  // How to log in to each node, by its name.
  using Nodes = std::vector<std::pair<std::string, pooler::Target>>;
  // The map has been loaded. Where a node can't be looked at so, a client's login has to do.
  void Guess(const std::string& database, const router::ShardMapRef& map, Nodes nodes);
  // A client's, of which one is wanted for each map.
  bool WantsLogins(const std::string& database, const router::ShardMapRef& map) const;
  void GiveLogins(const std::string& database, const router::ShardMapRef& map, Nodes nodes);

 private:
  struct Question {
    std::string database;
    router::ShardMapRef map;
    Nodes nodes;
    bool guess = false;
  };
  struct Known {
    router::ShardMapRef map;
    bool guessing = false;
    bool looked_at = false;   // by a guess
    bool has_logins = false;  // a client's
    Nodes logins;             // in case that the guess fails
  };
  Known& Of(const std::string& database, const router::ShardMapRef& map)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(Question question) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  void Answer(const Question& question);
  void GuessOver(const Question& question, const Status& outcome);

  mutable Mutex mutex_;
  std::deque<Question> questions_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);  // by database
  std::atomic<bool> stopping_{false};
  std::counting_semaphore<> wanted_{0};
  std::binary_semaphore ended_{0};
  std::thread thread_;
};

}  // namespace pgweir::proxy
