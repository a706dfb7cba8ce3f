#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "config/config.h"
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
  // What is queued is written first.
  ~SlowLogWriter();

  // Whether what was queued has been written, or lost, by the deadline. Nothing is taken any more.
  bool Stop(TimePoint deadline);

  // A line with its newline.
  void Submit(std::string_view line, TimePoint now);
  // At a reload: other options, and the file is opened anew.
  void Configure(const config::SlowLog& options);

  Counters counters() const;

 private:
  void Run();
  // False at the end.
  bool TakeBatch(std::string& batch);
  void Write(std::string_view batch);
  bool IsOverRate(TimePoint now);

  mutable std::mutex mutex_;  // with a condition variable, hence not pgweir::Mutex
  std::condition_variable wake_;
  // Guarded by mutex_:
  config::SlowLog options_;
  bool changed_ = true;  // options_ are not the file's yet
  bool stopping_ = false;
  std::string queue_;
  size_t in_hand_ = 0;  // bytes that the thread is writing
  TimePoint second_{};  // the lines of this second are counted
  int lines_ = 0;
  Counters counters_;

  // The thread's alone:
  SlowLogFile file_;
  uint64_t lost_ = 0;  // lines, since the file has been failing
  bool failing_ = false;

  std::binary_semaphore ended_{0};
  std::thread thread_;
};

}  // namespace pgweir::observe
