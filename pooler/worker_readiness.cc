#include "pooler/worker_readiness.h"

#include <algorithm>

#include "net/socket.h"

namespace pgweir::pooler {

net::Task<bool> Waits::Wait(net::Event& event) {
  if (stopping_) co_return false;
  waiting_.insert(&event);
  co_await event.Wait();
  waiting_.erase(&event);
  co_return !stopping_ && !event.expired();
}

net::Task<void> Waits::Sleep(TimePoint until) {
  net::Event event(worker_);
  event.SetDeadline(until);
  while (co_await Wait(event)) {
  }
}

void Waits::Stop() {
  stopping_ = true;
  for (net::Event* event : waiting_) event->Set();
}

net::Task<bool> WorkerReadiness::Await(int fd, Way way, TimePoint until) {
  net::Event event(waits_.worker());
  event.SetDeadline(std::min(until, deadline_));
  // A login may go on with another socket after any step, so each wait watches anew.
  net::Socket socket(fd, net::Socket::Ownership::kBorrows);
  socket.Attach(waits_.worker(), &event);
  if (way == Way::kWriting) socket.NoteWriteBlocked();
  while (!(way == Way::kReading ? socket.readable() : socket.writable())) {
    const bool in_time = co_await waits_.Wait(event);
    if (!in_time) co_return false;
  }
  co_return true;
}

}  // namespace pgweir::pooler
