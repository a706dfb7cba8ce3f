#include "net/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/check.h"

namespace pgweir::net {
namespace {

thread_local Worker* current_worker = nullptr;

// Tokens of the worker's own descriptors.
constexpr uint64_t kPosted = 0;
constexpr uint64_t kTimer = 1;

}  // namespace

Worker::Worker(int index)
    : index_(index),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      timer_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      scratch_(kScratchSize) {
  PGWEIR_CHECK(wake_fd_ >= 0 && timer_fd_ >= 0);
  poller_.Add(wake_fd_, this, kPosted);
  poller_.Add(timer_fd_, this, kTimer);
}

Worker::~Worker() {
  Join();
  close(wake_fd_);
  close(timer_fd_);
}

void Worker::Start(std::string_view name) {
  thread_ = std::thread([this] {
    current_worker = this;
    Loop();
    current_worker = nullptr;
  });
  pthread_setname_np(thread_.native_handle(), std::string(name.substr(0, 15)).c_str());
}

void Worker::Stop() {
  Post([this] { stopped_ = true; });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::Post(absl::AnyInvocable<void()> function) {
  bool first;
  {
    MutexLock lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(function));
  }
  if (!first) return;
  const uint64_t one = 1;
  PGWEIR_CHECK(write(wake_fd_, &one, sizeof one) == sizeof one);
}

Worker* Worker::Current() { return current_worker; }

void Worker::Forget(Event* event) {
  std::replace(ready_.begin(), ready_.end(), event, static_cast<Event*>(nullptr));
  std::replace(running_.begin(), running_.end(), event, static_cast<Event*>(nullptr));
}

void Worker::MoveDeadline(Event* event, TimePoint from, TimePoint to) {
  if (from != kNoDeadline) deadlines_.erase({from, event});
  if (to == kNoDeadline) return;
  deadlines_.insert({to, event});
  if (to < timer_at_) ArmTimer(to);
}

void Worker::Loop() {
  while (!stopped_) {
    poller_.Wait(ready_.empty() ? -1 : 0);
    RunReady();
    sends_.Flush();
  }
}

// Those that become ready meanwhile have to wait for the next turn, behind the sockets.
void Worker::RunReady() {
  running_.swap(ready_);
  for (size_t i = 0; i < running_.size(); ++i) {
    if (running_[i] != nullptr) running_[i]->Resume();
  }
  running_.clear();
}

void Worker::OnPoll(uint32_t, uint64_t token) {
  uint64_t count;
  if (token == kTimer) {
    [[maybe_unused]] const ssize_t got = read(timer_fd_, &count, sizeof count);
    FireDeadlines();
  } else {
    [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
    RunPosted();
  }
}

void Worker::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> functions;
  {
    MutexLock lock(mutex_);
    functions.swap(posted_);
  }
  for (auto& function : functions) function();
}

// The timer is moved for an earlier deadline only. One that was taken back leaves it to fire early,
// once, and find nothing.
void Worker::ArmTimer(TimePoint at) {
  using std::chrono::nanoseconds;
  timer_at_ = at;
  const auto since_epoch = std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count();
  itimerspec when{};
  when.it_value.tv_sec = since_epoch / 1'000'000'000;
  // Zero would switch it off.
  when.it_value.tv_nsec = std::max<long>(since_epoch % 1'000'000'000, 1);
  timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Worker::FireDeadlines() {
  timer_at_ = kNoDeadline;
  const TimePoint now = Clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Event* event = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    event->OnTimer(now);
  }
  if (!deadlines_.empty()) ArmTimer(deadlines_.begin()->first);
}

}  // namespace pgweir::net
