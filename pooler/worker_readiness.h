#pragma once

#include "absl/container/flat_hash_set.h"
#include "net/event.h"
#include "net/task.h"
#include "net/worker.h"
#include "pooler/readiness.h"

namespace pgweir::pooler {

// The waits of coroutines on one worker, which end together when all is over. On its thread only.
class Waits {
 public:
  explicit Waits(net::Worker& worker) : worker_(worker) {}

  // One wait on an event of this worker's; false when it is past its deadline or all is over.
  net::Task<bool> Wait(net::Event& event);
  // Until then, or until all is over.
  net::Task<void> Sleep(TimePoint until);
  // Wakes all who wait; from now on nobody waits any more.
  void Stop();
  bool stopping() const { return stopping_; }
  net::Worker& worker() { return worker_; }

 private:
  net::Worker& worker_;
  bool stopping_ = false;
  absl::flat_hash_set<net::Event*> waiting_;
};

// How a login or a question waits on a worker, among others.
class WorkerReadiness final : public Readiness {
 public:
  WorkerReadiness(Waits& waits, TimePoint deadline) : waits_(waits), deadline_(deadline) {}

  net::Task<bool> Await(int fd, Way way, TimePoint until) override;
  bool over() const override { return waits_.stopping() || Clock::now() >= deadline_; }

 private:
  Waits& waits_;
  const TimePoint deadline_;
};

}  // namespace pgweir::pooler
