#include "net/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

#include "base/check.h"

namespace pgweir::net {
namespace {

thread_local Worker* current_worker = nullptr;

// How long the thread stays with the poller before the io_context has a turn; timers may be late by
// as much.
constexpr std::chrono::milliseconds kTurn{1};

}  // namespace

Worker::Worker(int index)
    : index_(index),
      sleeper_(io_, dup(poller_.fd())),
      timer_(io_),
      scratch_(kScratchSize),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PGWEIR_CHECK(wake_fd_ >= 0);
  wake_slot_ = poller_.Add(wake_fd_, this, 0);
}

Worker::~Worker() {
  Join();
  close(wake_fd_);
}

void Worker::Start(std::string_view name) {
  thread_ = std::thread([this] {
    current_worker = this;
    Sleep();
    io_.run();
    RunPosted();
    current_worker = nullptr;
  });
  pthread_setname_np(thread_.native_handle(), std::string(name.substr(0, 15)).c_str());
}

void Worker::Stop() {
  Post([this] {
    stopped_ = true;
    io_.stop();
  });
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

void Worker::Schedule(Event* event) {
  ready_.push_back(event);
  if (turning_ || ready_.size() > 1) return;
  boost::asio::post(io_, [this] { RunReady(); });
}

void Worker::Forget(Event* event) {
  std::replace(ready_.begin(), ready_.end(), event, static_cast<Event*>(nullptr));
  std::replace(running_.begin(), running_.end(), event, static_cast<Event*>(nullptr));
}

void Worker::MoveDeadline(Event* event, TimePoint from, TimePoint to) {
  if (from != kNoDeadline) deadlines_.erase({from, event});
  if (to == kNoDeadline) return;
  deadlines_.insert({to, event});
  if (to < timer_at_) ArmTimer();
}

// Waits inside the io_context until the poller has something.
void Worker::Sleep() {
  sleeper_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](boost::system::error_code error) {
                        if (!error) Turn();
                      });
}

void Worker::Turn() {
  turning_ = true;
  const TimePoint until = Clock::now() + kTurn;
  bool busy = true;
  while (busy && !stopped_ && Clock::now() < until) {
    const int events = poller_.Wait(ready_.empty() ? static_cast<int>(kTurn.count()) : 0);
    busy = events > 0 || !ready_.empty();
    RunReady();
  }
  turning_ = false;
  if (stopped_) return;
  if (busy) {
    boost::asio::post(io_, [this] { Turn(); });
  } else {
    Sleep();
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

void Worker::OnPoll(uint32_t, uint64_t) {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
  RunPosted();
}

void Worker::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> functions;
  {
    MutexLock lock(mutex_);
    functions.swap(posted_);
  }
  for (auto& function : functions) function();
}

void Worker::ArmTimer() {
  timer_at_ = deadlines_.begin()->first;
  timer_.expires_at(timer_at_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) FireDeadlines();
  });
}

// An event that is past its deadline is set once; it stays expired until its deadline is moved.
void Worker::FireDeadlines() {
  timer_at_ = kNoDeadline;
  const TimePoint now = Clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Event* event = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    event->Set();
  }
  if (!deadlines_.empty()) ArmTimer();
}

}  // namespace pgweir::net
