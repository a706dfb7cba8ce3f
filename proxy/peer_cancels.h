#pragma once

#include <deque>
#include <map>

#include "absl/functional/any_invocable.h"
#include "base/mutex.h"
#include "config/config.h"
#include "pooler/canceller.h"
#include "proxy/cancel_keys.h"

namespace pgweir::proxy {

// Passes cancel requests on to the processes whose clients they are for ([peers]). On threads of
// its own, so that a peer that does not answer delays no request to a server. Thread-safe.
class PeerCancels {
 public:
  struct Numbers {
    int active = 0, waiting = 0;
  };

  PeerCancels();

  // `done` runs exactly once, on any thread, when the peer has dealt with the request, or can't.
  // At most `at_once` are under way to one peer.
  void Pass(const CancelKeys::Foreign& request, const config::Peer& peer, int at_once,
            absl::AnyInvocable<void()> done);
  Numbers numbers(int peer_id) const;

  // As pooler::Canceller's.
  bool Stop(TimePoint deadline) { return canceller_.Stop(deadline); }

 private:
  struct Job {
    std::shared_ptr<const pooler::ServerCancel> cancel;
    absl::AnyInvocable<void()> done;
  };
  struct Queue {
    int active = 0;
    std::deque<Job> waiting;
  };
  void Send(int peer_id, Job job);
  void OnDone(int peer_id);

  mutable Mutex mutex_;
  std::map<int, Queue> queues_ ABSL_GUARDED_BY(mutex_);
  pooler::Canceller canceller_;  // after what its threads use
};

}  // namespace pgweir::proxy
