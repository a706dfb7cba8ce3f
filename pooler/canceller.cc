#include "pooler/canceller.h"

#include <utility>

#include "base/log.h"

namespace pgweir::pooler {

Canceller::Canceller(int threads, size_t max_queued) : max_queued_(max_queued) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

bool Canceller::Stop(TimePoint deadline) {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (size_t i = 0; i < threads_.size(); ++i) {
    if (!ended_.try_acquire_until(deadline)) return false;
  }
  return true;
}

Canceller::~Canceller() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (Job& job : queue_) job.done();
}

void Canceller::Send(std::shared_ptr<const ServerCancel> cancel, absl::AnyInvocable<void()> done) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < max_queued_) {
      queue_.push_back({std::move(cancel), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  LogWarn("cancel request dropped: {} are queued", max_queued_);
  done();
}

void Canceller::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) {
      ended_.release();
      return;
    }
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const Status sent = job.cancel != nullptr
                            ? job.cancel->Send()
                            : Error(sqlstate::kFeatureNotSupported, "the server gave no key");
    if (!sent.ok()) LogWarn("cancel request failed reason=\"{}\"", MessageOf(sent));
    job.cancel.reset();
    job.done();
    lock.lock();
  }
}

}  // namespace pgweir::pooler
