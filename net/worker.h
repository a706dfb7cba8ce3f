#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
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

namespace pgweir::net {

// One thread with one io_context, and in it the edge-triggered poller that carries the sockets of
// clients and backends. While there is work the thread waits on the poller directly, and lets the
// io_context (timers, whatever else lives there) have a turn once a millisecond; with nothing to do
// it sleeps in the io_context.
//
// Everything on a worker runs on its thread, except Post and Stop.
class Worker final : private PollSink {
 public:
  // Bytes that fit in scratch(), which every connection of the worker reads into.
  static constexpr size_t kScratchSize = 64 * 1024;

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

  boost::asio::io_context& io() { return io_; }
  Poller& poller() { return poller_; }

  // Shared by all connections of the worker: its contents are good until the next suspension.
  std::span<std::byte> scratch() { return scratch_; }

 private:
  friend class Event;

  void Schedule(Event* event);
  void Forget(Event* event);
  void MoveDeadline(Event* event, TimePoint from, TimePoint to);

  void Sleep();
  void Turn();
  void RunReady();
  void RunPosted();
  void ArmTimer();
  void FireDeadlines();
  void OnPoll(uint32_t events, uint64_t token) override;

  const int index_;
  boost::asio::io_context io_{1};
  Poller poller_;
  boost::asio::posix::stream_descriptor sleeper_;  // the poller's descriptor, inside io_
  boost::asio::steady_timer timer_;
  TimePoint timer_at_ = kNoDeadline;
  absl::btree_set<std::pair<TimePoint, Event*>> deadlines_;
  std::vector<Event*> ready_;
  std::vector<Event*> running_;
  std::vector<std::byte> scratch_;
  int wake_fd_;
  Poller::Slot wake_slot_;
  bool stopped_ = false;
  bool turning_ = false;  // in Turn, which runs what becomes ready

  Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace pgweir::net
