#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/mutex.h"

namespace pgweir::proxy {

// How often something that is rare happened, by its reason: a static string. Any thread.
class ReasonCounts {
 public:
  void Count(std::string_view reason) {
    const MutexLock lock(mutex_);
    ++counts_[reason];
  }
  std::map<std::string_view, uint64_t> Read() const {
    const MutexLock lock(mutex_);
    return counts_;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string_view, uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

// What pooling costs sessions that do more than pooling can carry, since the start of the process.
struct SessionCounts {
  ReasonCounts pins;      // a session began to keep its backend
  ReasonCounts resets;    // a backend had to forget what was done on it
  ReasonCounts refusals;  // a statement was refused for what it would have left
  ReasonCounts doubts;    // a client could not be told whether something happened
};

}  // namespace pgweir::proxy
