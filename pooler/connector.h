#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "base/status.h"
#include "net/task.h"
#include "net/worker.h"
#include "pooler/backend.h"

namespace pgweir::pooler {

// What a login to a server takes, as libpq wants it.
struct Target {
  std::string connection_string;  // key=value or URI
  std::string database;           // overrides the string's; "" = as the string says
  std::string user;               // likewise
  std::string password;           // likewise
  // Further libpq keywords, such as replication.
  std::vector<std::pair<std::string, std::string>> keywords;
  bool operator==(const Target&) const = default;
};

// Opens backends through libpq, on a thread of its own because libpq's start may ask the disk and
// the resolver. Several at once but bounded; after a failure it leaves a target alone for a while,
// longer each time. Thread-safe.
class Connector {
 public:
  using Done = absl::AnyInvocable<void(StatusOr<std::unique_ptr<Backend>>)>;

  explicit Connector(int max_parallel);
  // Attempts under way are given up; their `done` gets an error.
  ~Connector();

  struct Patience {
    Duration timeout;    // of one attempt, not of the pause before it; 0 = none
    Duration max_pause;  // after a failure
  };

  // `done` runs on the connector's thread. An error carries the server's own SQLSTATE and text, or
  // 08001.
  void Open(Target target, Patience patience, Done done);

 private:
  struct Pending {
    Target target;
    Patience patience;
    Done done;
  };
  // By connection string: hosts fail, not users.
  struct Host {
    int failures = 0;
    TimePoint not_before;
  };

  void StartSome();
  net::Task<void> Run(Pending pending);
  net::Task<StatusOr<std::unique_ptr<Backend>>> Connect(Target target, Duration timeout);
  net::Task<void> Pause(TimePoint until);
  // One wait on an event of this worker's; false when it is past its deadline or all is over.
  net::Task<bool> Wait(net::Event& event);

  const int max_parallel_;
  int running_ = 0;
  bool stopping_ = false;
  absl::flat_hash_set<net::Event*> waiting_;  // what to wake when stopping
  std::deque<Pending> queue_;
  absl::flat_hash_map<std::string, Host> hosts_;
  net::Worker worker_;
};

// A connection for libpq's own calls, which block; its status says whether it is open. For threads
// that may wait.
PgConnPtr ConnectAndWait(const Target& target);

// The login user that a libpq connection string names; "" when it names none. An error says what is
// wrong with the string.
StatusOr<std::string> UserIn(const std::string& connection_string);

// Where such a string leads; "" for what it does not say. Of a string that UserIn understands.
struct Destination {
  std::string host, port, database, user;
};
Destination DestinationOf(const std::string& connection_string);

}  // namespace pgweir::pooler
