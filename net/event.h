#pragma once

#include <coroutine>

#include "base/clock.h"

namespace pgweir::net {

class Worker;

// What one coroutine waits on: everything that may concern it sets the same event, and it looks for
// itself at what has changed. Stays set until waited for, so that nothing is lost; several Sets
// wake once. Used on its worker's thread only.
class Event {
 public:
  explicit Event(Worker& worker) : worker_(worker) {}
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes the waiter at the worker's next turn, never inside this call.
  void Set();

  // A deadline sets the event too, once. kNoDeadline takes it back. One that is later than the
  // last, as a time-out anew for each statement is, costs nothing: the worker's timer stays where
  // it was, and looks for the new one when it goes off.
  void SetDeadline(TimePoint deadline);
  TimePoint deadline() const { return deadline_; }
  bool expired() const { return deadline_ != kNoDeadline && Clock::now() >= deadline_; }

  // co_await event.Wait();
  struct Waiter {
    Event& event;
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { event.waiter_ = waiter; }
    void await_resume() const noexcept { event.set_ = false; }
  };
  Waiter Wait() { return Waiter{*this}; }

  Worker& worker() const { return worker_; }

 private:
  friend class Worker;
  void Resume();
  void OnTimer(TimePoint now);

  Worker& worker_;
  std::coroutine_handle<> waiter_;
  TimePoint deadline_ = kNoDeadline;
  TimePoint armed_ = kNoDeadline;  // what the worker knows; not later than the deadline
  bool set_ = false;
  bool queued_ = false;  // in the worker's list of events to resume
};

}  // namespace pgweir::net
