#pragma once

#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "base/status.h"
#include "net/task.h"
#include "net/worker.h"
#include "pooler/backend.h"
#include "pooler/target.h"
#include "pooler/worker_readiness.h"

namespace pgweir::pooler {

// Opens backends, on a thread of its own because that may ask the disk and the resolver. Several at
// once but bounded; after a failure it leaves a target alone for a while,
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

  const int max_parallel_;
  int running_ = 0;
  std::deque<Pending> queue_;
  absl::flat_hash_map<std::string, Host> hosts_;
  net::Worker worker_;
  Waits waits_{worker_};
};

}  // namespace pgweir::pooler
