#include "observe/line_queue.h"

#include <utility>

namespace pgweir::observe {
namespace {

// A buffer that grew beyond this is given back when it has been dealt with.
constexpr size_t kKeptBuffer = size_t{1} << 20;

}  // namespace

LineQueue::LineQueue(const Limits& limits, Deal deal)
    : limits_(limits), deal_(std::move(deal)), thread_([this] { Run(); }) {}

LineQueue::~LineQueue() {
  Stop(Clock::now());
  thread_.join();
}

bool LineQueue::Stop(TimePoint deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (!ended_.try_acquire_until(deadline)) return false;
  ended_.release();
  return true;
}

bool LineQueue::Push(std::string_view lines) {
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    const size_t size = queue_.size() + lines.size();
    if (stopping_ || size + in_hand_ > limits_.max_bytes) return false;
    wakes = queue_.empty() || (queue_.size() < limits_.batch_bytes && size >= limits_.batch_bytes);
    queue_ += lines;
  }
  if (wakes) wake_.notify_one();
  return true;
}

void LineQueue::Change(const Limits& limits) {
  {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    changed_ = true;
  }
  wake_.notify_one();
}

bool LineQueue::StopsWithin(Duration time) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, time, [this] { return stopping_; });
}

void LineQueue::Run() {
  std::string batch;
  while (TakeBatch(batch)) {
    deal_(batch);
    if (batch.capacity() > kKeptBuffer) std::string().swap(batch);
    batch.clear();
  }
  ended_.release();
}

bool LineQueue::TakeBatch(std::string& batch) {
  std::unique_lock lock(mutex_);
  in_hand_ = 0;
  wake_.wait(lock, [this] { return stopping_ || changed_ || !queue_.empty(); });
  wake_.wait_for(lock, limits_.gather,
                 [this] { return stopping_ || changed_ || queue_.size() >= limits_.batch_bytes; });
  const bool changed = std::exchange(changed_, false);
  if (stopping_ && !changed && queue_.empty()) return false;
  batch.swap(queue_);
  in_hand_ = batch.size();
  return true;
}

}  // namespace pgweir::observe
