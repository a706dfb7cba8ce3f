#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"

namespace pgweir::observe {

// Lines that any thread hands over, for a thread of its own to deal with, many at once. Push only
// copies: what the thread is too slow for finds no room, and nobody waits. Thread-safe.
class LineQueue {
 public:
  struct Limits {
    size_t max_bytes = 0;    // of lines that are queued or being dealt with
    size_t batch_bytes = 0;  // as many are dealt with at once
    Duration gather{};       // fewer wait so long for others
  };
  // Called on the queue's thread with lines, each with its newline; with none after Change().
  using Deal = std::function<void(std::string_view lines)>;

  // `deal` may be called, and so may call StopsWithin(), before the constructor returns.
  LineQueue(const Limits& limits, Deal deal);
  // What is queued is dealt with first.
  ~LineQueue();

  // Whether what was queued has been dealt with by the deadline. Nothing is taken any more.
  bool Stop(TimePoint deadline);
  // False when there is no room.
  bool Push(std::string_view lines);
  void Change(const Limits& limits);

  // For `deal`, which may so pause: whether Stop() is called meanwhile.
  bool StopsWithin(Duration time);

 private:
  void Run();
  // False at the end.
  bool TakeBatch(std::string& batch);

  std::mutex mutex_;  // with a condition variable, hence not pgweir::Mutex
  std::condition_variable wake_;
  // Guarded by mutex_:
  Limits limits_;
  bool changed_ = true;
  bool stopping_ = false;
  std::string queue_;
  size_t in_hand_ = 0;  // bytes that are being dealt with

  const Deal deal_;
  std::binary_semaphore ended_{0};
  std::thread thread_;
};

}  // namespace pgweir::observe
