// A pool as a sharer of caps: what other pools' lack of places asks of it.

#include "base/log.h"
#include "pooler/pool.h"

namespace pgweir::pooler {

void Pool::PlaceKept() {
  services_.workers.front()->Post([weak = weak_from_this()] {
    const std::shared_ptr<Pool> self = weak.lock();
    if (self == nullptr) return;
    Aftermath aftermath;
    {
      MutexLock lock(self->mutex_);
      self->PlanOpening(aftermath);
    }
    self->Finish(std::move(aftermath));
  });
}

// Its list and place in the list; past the lists' end when none is idle.
std::pair<size_t, size_t> Pool::LongestIdle() const {
  std::pair<size_t, size_t> longest = {idle_.size(), 0};
  TimePoint since = kNoDeadline;
  for (size_t list = 0; list < idle_.size(); ++list) {
    for (size_t i = 0; i < idle_[list].size(); ++i) {
      if (idle_[list][i]->idle_since >= since) continue;
      since = idle_[list][i]->idle_since;
      longest = {list, i};
    }
  }
  return longest;
}

TimePoint Pool::IdleSince() const {
  MutexLock lock(mutex_);
  const auto [list, i] = LongestIdle();
  return list == idle_.size() ? kNoDeadline : idle_[list][i]->idle_since;
}

void Pool::MakeWay() {
  Aftermath aftermath;
  {
    MutexLock lock(mutex_);
    const auto [list, i] = LongestIdle();
    if (list == idle_.size()) return;
    Backend* backend = idle_[list][i];
    idle_[list].erase(idle_[list].begin() + static_cast<ptrdiff_t>(i));
    --idle_count_;
    LogDebug("idle server connection makes way pool={} backend={}", name_, backend->id().value);
    aftermath.closing.push_back(Take(*backend));
  }
  Finish(std::move(aftermath));
}

}  // namespace pgweir::pooler
