#include "net/event.h"

#include <utility>

#include "net/worker.h"

namespace pgweir::net {

Event::~Event() {
  SetDeadline(kNoDeadline);
  if (queued_) worker_.Forget(this);
}

void Event::Set() {
  set_ = true;
  if (!waiter_ || queued_) return;
  queued_ = true;
  worker_.Schedule(this);
}

void Event::SetDeadline(TimePoint deadline) {
  if (deadline == deadline_) return;
  worker_.MoveDeadline(this, deadline_, deadline);
  deadline_ = deadline;
}

void Event::Resume() {
  queued_ = false;
  if (waiter_) std::exchange(waiter_, nullptr).resume();
}

}  // namespace pgweir::net
