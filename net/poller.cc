#include "net/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"

namespace pgweir::net {
namespace {

constexpr uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

uint32_t IndexOf(Poller::Slot slot) { return static_cast<uint32_t>(slot); }
uint32_t GenerationOf(Poller::Slot slot) { return static_cast<uint32_t>(slot >> 32); }

}  // namespace

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) { PGWEIR_CHECK(fd_ >= 0); }

Poller::~Poller() { close(fd_); }

Poller::Slot Poller::Add(int fd, PollSink* sink, uint64_t token) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Entry& entry = entries_[index];
  entry.sink = sink;
  entry.token = token;
  const Slot slot = static_cast<Slot>(entry.generation) << 32 | index;
  epoll_event event{};
  event.events = kReading;
  event.data.u64 = slot;
  PGWEIR_CHECK(epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0);
  return slot;
}

void Poller::WatchWrites(Slot slot, int fd) {
  epoll_event event{};
  event.events = kReading | EPOLLOUT;
  event.data.u64 = slot;
  PGWEIR_CHECK(epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Poller::Redirect(Slot slot, PollSink* sink, uint64_t token) {
  Entry* entry = Find(slot);
  PGWEIR_CHECK(entry != nullptr);
  entry->sink = sink;
  entry->token = token;
}

void Poller::Remove(Slot slot, int fd) {
  epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  Free(slot);
}

void Poller::RemoveFromElsewhere(Slot slot, int fd) {
  epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr);
  MutexLock lock(mutex_);
  removed_elsewhere_.push_back(slot);
  any_removed_.store(true, std::memory_order_relaxed);
}

int Poller::Wait(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(fd_, events.data(), events.size(), timeout_ms);
  if (any_removed_.load(std::memory_order_relaxed)) FreeRemovedElsewhere();
  for (int i = 0; i < count; ++i) {
    // Looked up one by one: an event may have removed a later one's descriptor.
    const Entry* entry = Find(events[i].data.u64);
    if (entry != nullptr) entry->sink->OnPoll(events[i].events, entry->token);
  }
  return count < 0 ? 0 : count;
}

Poller::Entry* Poller::Find(Slot slot) {
  Entry& entry = entries_[IndexOf(slot)];
  return entry.generation == GenerationOf(slot) && entry.sink != nullptr ? &entry : nullptr;
}

void Poller::Free(Slot slot) {
  Entry* entry = Find(slot);
  PGWEIR_CHECK(entry != nullptr);
  entry->sink = nullptr;
  ++entry->generation;
  free_.push_back(IndexOf(slot));
}

void Poller::FreeRemovedElsewhere() {
  std::vector<Slot> removed;
  {
    MutexLock lock(mutex_);
    removed.swap(removed_elsewhere_);
    any_removed_.store(false, std::memory_order_relaxed);
  }
  for (const Slot slot : removed) Free(slot);
}

}  // namespace pgweir::net
