#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/clock.h"
#include "pooler/server_connection.h"

namespace pgweir::pooler {

// Sends cancel requests to servers, on threads of its own because that blocks until the server has
// closed the cancel connection. Bounded: beyond the queue a request is dropped, as a
// cancel may always come too late. Thread-safe.
class Canceller {
 public:
  Canceller(int threads, size_t max_queued);
  // Requests that were not sent yet are dropped.
  ~Canceller();

  // No request is sent any more. Whether the ones under way have ended by the deadline: libpq can't
  // be told to give one up, and the destructor waits for them.
  bool Stop(TimePoint deadline);

  // `done` runs exactly once, on a canceller's thread or inside this call, when the server has
  // dealt with the request or it was dropped.
  void Send(std::shared_ptr<const ServerCancel> cancel, absl::AnyInvocable<void()> done);

 private:
  struct Job {
    std::shared_ptr<const ServerCancel> cancel;
    absl::AnyInvocable<void()> done;
  };
  void Run();

  const size_t max_queued_;
  std::mutex mutex_;  // with a condition variable, hence not pgweir::Mutex
  std::condition_variable wake_;
  std::counting_semaphore<> ended_{0};  // of each thread once
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pgweir::pooler
