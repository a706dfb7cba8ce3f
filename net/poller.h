#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/mutex.h"

namespace pgweir::net {

// Told about events of a descriptor. Runs on the poller's thread.
class PollSink {
 public:
  // `events` are EPOLL* bits, `token` is what was given with the sink.
  virtual void OnPoll(uint32_t events, uint64_t token) = 0;

 protected:
  ~PollSink() = default;
};

// An edge-triggered epoll: each change of a descriptor is told once, to whatever sink the
// descriptor's slot names at that moment. Belongs to one thread; only RemoveFromElsewhere comes
// from others, which is how a connection that lies idle on one worker is taken over by another.
class Poller {
 public:
  // The slot number in the high half distinguishes a slot's successive owners, so that an event
  // already on its way to a removed descriptor finds nobody.
  using Slot = uint64_t;

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Owner's thread. Watches for reading and hang-up. `sink` must outlive the slot.
  Slot Add(int fd, PollSink* sink, uint64_t token);
  // Owner's thread. Watches for writing too, from now on.
  void WatchWrites(Slot slot, int fd);
  // Owner's thread. From now on events go to another sink.
  void Redirect(Slot slot, PollSink* sink, uint64_t token);
  // Owner's thread. No event is delivered afterwards.
  void Remove(Slot slot, int fd);
  // Another thread, for a slot whose sink is not tied to the descriptor: an event that is just
  // being delivered may still reach it.
  void RemoveFromElsewhere(Slot slot, int fd);

  // Owner's thread. Waits up to `timeout_ms`, delivers what happened, returns how many events.
  int Wait(int timeout_ms);

  int fd() const { return fd_; }

 private:
  struct Entry {
    PollSink* sink = nullptr;
    uint64_t token = 0;
    uint32_t generation = 0;
  };

  Entry* Find(Slot slot);
  void Free(Slot slot);
  void FreeRemovedElsewhere();

  const int fd_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  Mutex mutex_;
  std::vector<Slot> removed_elsewhere_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> any_removed_{false};
};

}  // namespace pgweir::net
