#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/config.h"
#include "observe/line_queue.h"
#include "observe/slow_log_file.h"

namespace pgweir::observe {

// Takes lines from all workers and writes them on a thread of its own, several with one write. A
// disk that is slow, full or gone costs lines, which are counted, and nothing else: Submit only
// copies. Thread-safe.
class SlowLogWriter {
 public:
  struct Counters {
    uint64_t written = 0;     // lines that are in the file
    uint64_t dropped = 0;     // that found the queue full
    uint64_t suppressed = 0;  // beyond max_lines_per_second
    uint64_t failed = 0;      // that the file didn't take
  };

  // Without a path nothing is written, and no file opened, until Configure() gives one.
  explicit SlowLogWriter(const config::SlowLog& options);

  // Whether what was queued has been written, or lost, by the deadline. Nothing is taken any more.
  bool Stop(TimePoint deadline) { return queue_.Stop(deadline); }

  // A line with its newline.
  void Submit(std::string_view line, TimePoint now);
  // At a reload: other options, and the file is opened anew.
  void Configure(const config::SlowLog& options);

  Counters counters() const;

 private:
  void Write(std::string_view lines);
  bool IsOverRate(TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  config::SlowLog options_ ABSL_GUARDED_BY(mutex_);
  bool changed_ ABSL_GUARDED_BY(mutex_) = true;  // options_ are not the file's yet
  TimePoint second_ ABSL_GUARDED_BY(mutex_){};   // the lines of this second are counted
  int lines_ ABSL_GUARDED_BY(mutex_) = 0;
  Counters counters_ ABSL_GUARDED_BY(mutex_);

  // The queue's thread's alone:
  SlowLogFile file_;
  uint64_t lost_ = 0;  // lines, since the file has been failing
  bool failing_ = false;

  LineQueue queue_;  // writes what is queued at the end, so that it is the first to go
};

}  // namespace pgweir::observe
