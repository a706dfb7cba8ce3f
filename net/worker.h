#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/any_invocable.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "net/event.h"
#include "net/poller.h"
#include "net/send_batch.h"

namespace pgweir::net {

// One thread with one edge-triggered poller, which carries the sockets of clients and backends,
// wakes what waits for a deadline, and hears of functions posted by other threads. It blocks in one
// place only, and without a time-out, which costs a timer in the kernel each time. (bench/README.md
// has the measurement against Asio's reactor.)
//
// Everything on a worker runs on its thread, except Post and Stop.
class Worker final : private PollSink {
 public:
  // Bytes that fit in scratch(), which every connection of the worker reads into.
  static constexpr size_t kScratchSize = 128 * 1024;

  // `index` numbers the workers that serve clients from 0; others have -1.
  explicit Worker(int index = -1);
  ~Worker();
  int index() const { return index_; }

  void Start(std::string_view name);
  // Any thread. Runs what was posted before, then ends the thread.
  void Stop();
  void Join();

  // Any thread. Runs `function` on the worker's thread.
  void Post(absl::AnyInvocable<void()> function) ABSL_LOCKS_EXCLUDED(mutex_);

  bool IsCurrent() const { return Current() == this; }
  static Worker* Current();

  Poller& poller() { return poller_; }
  // What is sent at the end of the turn.
  SendBatch& sends() { return sends_; }

  // Shared by all connections of the worker: its contents are good until the next suspension.
  std::span<std::byte> scratch() { return scratch_; }

 private:
  friend class Event;

  void Schedule(Event* event) { ready_.push_back(event); }
  void Forget(Event* event);
  void MoveDeadline(Event* event, TimePoint from, TimePoint to);

  void Loop();
  void RunReady();
  void RunPosted();
  void ArmTimer(TimePoint at);
  void FireDeadlines();
  void OnPoll(uint32_t events, uint64_t token) override;

  const int index_;
  Poller poller_;
  SendBatch sends_;
  const int wake_fd_;   // an eventfd: functions were posted
  const int timer_fd_;  // a timerfd: the earliest deadline
  TimePoint timer_at_ = kNoDeadline;
  absl::btree_set<std::pair<TimePoint, Event*>> deadlines_;
  std::vector<Event*> ready_;
  std::vector<Event*> running_;
  std::vector<std::byte> scratch_;
  bool stopped_ = false;

  Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace pgweir::net
