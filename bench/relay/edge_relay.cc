#include "bench/relay/edge_relay.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "bench/relay/sockets.h"

namespace pgweir::bench {
namespace {

constexpr size_t kScratchSize = 64 * 1024;

// TCP tells of room for writing only after a write found none, so watching for it costs nothing.
constexpr uint32_t kBothWays = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

EdgeRelay::EdgeRelay(uint16_t port, const sockaddr_in& server)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      ticker_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      listener_(ListenOn(port)),
      server_(server),
      scratch_(kScratchSize) {
  PGWEIR_CHECK(epoll_ >= 0 && wake_ >= 0 && ticker_ >= 0);
  Watch(listener_, this, EPOLLIN | EPOLLET);
  Watch(wake_, &woken_, EPOLLIN | EPOLLET);
  Watch(ticker_, &ticked_, EPOLLIN | EPOLLET);
}

EdgeRelay::~EdgeRelay() {
  close(listener_);
  close(ticker_);
  close(wake_);
  close(epoll_);
}

int EdgeRelay::Poll(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  int ticks = 0;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr == this) {
      Accept();
    } else if (events[i].data.ptr == &woken_) {
      woken_ = true;
    } else if (events[i].data.ptr == &ticked_) {
      ticked_ = true;
      ++ticks;
    } else {
      OnEvents(*static_cast<End*>(events[i].data.ptr), events[i].events);
    }
  }
  closed_.clear();
  return count < 0 ? 0 : count - ticks;
}

bool EdgeRelay::TakeWoken() {
  if (!woken_) return false;
  woken_ = false;
  uint64_t times;
  return read(wake_, &times, sizeof times) == sizeof times;
}

void EdgeRelay::TickEvery(int period_ms) {
  itimerspec times{};
  times.it_value.tv_nsec = times.it_interval.tv_nsec = period_ms * 1'000'000L;
  PGWEIR_CHECK(timerfd_settime(ticker_, 0, &times, nullptr) == 0);
  ticked_ = false;
}

// Edge-triggered, each expiry is told without the descriptor being read.
bool EdgeRelay::TakeTick() { return std::exchange(ticked_, false); }

void EdgeRelay::Watch(int fd, void* owner, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner;
  PGWEIR_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void EdgeRelay::Accept() {
  for (int client = AcceptClient(listener_); client >= 0; client = AcceptClient(listener_)) {
    const int server = ConnectTo(server_);
    if (server < 0) {
      close(client);
      continue;
    }
    auto* session = new Session;  // owned by its two registrations, until Close
    session->client = End{.session = session, .other = &session->server, .fd = client};
    session->server = End{.session = session, .other = &session->client, .fd = server};
    Watch(client, &session->client, kBothWays);
    Watch(server, &session->server, kBothWays);
  }
}

void EdgeRelay::OnEvents(End& end, uint32_t events) {
  if (end.session->closed) return;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end.hung_up = true;
  if (events & ~EPOLLOUT) end.readable = true;
  if (!end.unsent.empty() && (events & EPOLLOUT) && Flush(end)) Pump(*end.other);
  if (!end.session->closed) Pump(end);
}

// Moves bytes from this end to the other until there are none, or the other takes no more.
void EdgeRelay::Pump(End& from) {
  End& to = *from.other;
  while (from.readable && !from.finished && to.unsent.empty()) {
    const ssize_t got = recv(from.fd, scratch_.data(), scratch_.size(), 0);
    if (got < 0) {
      if (errno != EAGAIN) return Close(*from.session);
      from.readable = false;
      return;
    }
    if (got == 0) return Finish(from);
    if (static_cast<size_t>(got) < scratch_.size() && !from.hung_up) from.readable = false;
    const ssize_t sent = send(to.fd, scratch_.data(), got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return Close(*from.session);
    if (sent < got) {
      const size_t taken = sent < 0 ? 0 : sent;
      to.unsent.assign(reinterpret_cast<const char*>(scratch_.data()) + taken, got - taken);
    }
  }
}

// True when nothing is left over.
bool EdgeRelay::Flush(End& to) {
  const ssize_t sent = send(to.fd, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
  if (sent > 0) to.unsent.erase(0, sent);
  if (sent < 0 && errno != EAGAIN) Close(*to.session);
  return to.unsent.empty() && !to.session->closed;
}

void EdgeRelay::Finish(End& from) {
  from.finished = true;
  shutdown(from.other->fd, SHUT_WR);
  if (from.other->finished) Close(*from.session);
}

void EdgeRelay::Close(Session& session) {
  session.closed = true;
  close(session.client.fd);
  close(session.server.fd);
  closed_.emplace_back(&session);
}

}  // namespace pgweir::bench
