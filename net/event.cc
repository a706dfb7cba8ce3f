#include "net/event.h"

#include <utility>

#include "net/worker.h"

namespace pgweir::net {

Event::~Event() {
  if (armed_ != kNoDeadline) worker_.MoveDeadline(this, armed_, kNoDeadline);
  if (queued_) worker_.Forget(this);
}

void Event::Set() {
  set_ = true;
  if (!waiter_ || queued_) return;
  queued_ = true;
  worker_.Schedule(this);
}

void Event::SetDeadline(TimePoint deadline) {
  deadline_ = deadline;
  if (deadline >= armed_) return;  // kNoDeadline is later than all others
  worker_.MoveDeadline(this, armed_, deadline);
  armed_ = deadline;
}

void Event::OnTimer(TimePoint now) {
  armed_ = kNoDeadline;
  if (deadline_ <= now) return Set();
  SetDeadline(deadline_);
}

void Event::Resume() {
  queued_ = false;
  if (waiter_) std::exchange(waiter_, nullptr).resume();
}

}  // namespace pgweir::net
