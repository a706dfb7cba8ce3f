// A pool as operators see it and act on it.

#include <algorithm>

#include "pooler/pool.h"
#include "pooler/pool_policy.h"

namespace pgweir::pooler {

void Pool::SetPaused(bool paused) {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    paused_ = paused;
    if (paused) CloseIdle(true, Clock::now(), aftermath);
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

bool Pool::paused() const {
  MutexLock lock(mutex_);
  return paused_;
}

void Pool::Reconnect() {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    ++target_version_;
    CloseIdle(true, Clock::now(), aftermath);
    PlanOpening(aftermath);
  }
  Finish(std::move(aftermath));
}

bool Pool::IsLongIdle(const Backend& backend, TimePoint now) const {
  return limits_.pre_ping && now - backend.idle_since > kPingAfter;
}

void Pool::Counts::Add(const Counts& more) {
  idle += more.idle;
  long_idle += more.long_idle;
  leased += more.leased;
  being_cancelled += more.being_cancelled;
  connecting += more.connecting;
  cancels += more.cancels;
  members += more.members;
  waiting += more.waiting;
  waiting_since = std::min(waiting_since, more.waiting_since);
}

Pool::Counts Pool::counts() const {
  const TimePoint now = Clock::now();
  Counts counts;
  counts.members = members_.load(std::memory_order_relaxed);
  MutexLock lock(mutex_);
  counts.idle = idle_count_;
  counts.connecting = connecting_;
  counts.waiting = static_cast<int>(waiting_.size());
  if (!waiting_.empty()) counts.waiting_since = waiting_.front()->since;
  counts.paused = paused_;
  for (const auto& [id, backend] : all_) {
    counts.cancels += backend->cancels_under_way_;
    if (backend->state_ == Backend::State::kIdle) {
      if (IsLongIdle(*backend, now)) ++counts.long_idle;
      continue;
    }
    const bool being_cancelled = backend->state_ == Backend::State::kBeingCancelled;
    ++(being_cancelled ? counts.being_cancelled : counts.leased);
    if (backend->target_version_ != target_version_) ++counts.outdated;
  }
  return counts;
}

std::vector<Pool::Shown> Pool::Show() const {
  const TimePoint now = Clock::now();
  std::vector<Shown> shown;
  MutexLock lock(mutex_);
  shown.reserve(all_.size());
  for (const auto& [id, backend] : all_) {
    Shown one{.id = backend->id(),
              .fd = backend->stream().socket().fd(),
              .origin = backend->origin(),
              .state = "active",
              .close_needed = at_rest() || backend->target_version_ != target_version_,
              .idle_since = kNoDeadline};
    if (backend->state_ == Backend::State::kBeingCancelled) one.state = "being_canceled";
    // Of one that somebody holds, the rest is that one's to know.
    if (backend->state_ == Backend::State::kIdle) {
      one.state = IsLongIdle(*backend, now) ? "used" : "idle";
      one.idle_since = backend->idle_since;
      one.prepared = static_cast<int>(backend->prepared.size());
      const std::string* name = backend->parameters->Find("application_name");
      if (name != nullptr) one.application_name = *name;
    }
    shown.push_back(std::move(one));
  }
  return shown;
}

}  // namespace pgweir::pooler
