#include "net/socket.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "net/worker.h"

namespace pgweir::net {
namespace {

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Socket::~Socket() {
  Detach();
  if (ownership_ == Ownership::kOwns) close(fd_);
}

void Socket::Attach(Worker& worker, Event* event) {
  PGWEIR_CHECK(worker_ == nullptr);
  worker_ = &worker;
  event_ = event;
  // What is already there is told as the first event.
  slot_ = worker.poller().Add(fd_, this, 0);
}

void Socket::Detach() {
  if (worker_ == nullptr) return;
  if (queued_) worker_->sends().Flush();
  if (parked_ && !worker_->IsCurrent()) {
    worker_->poller().RemoveFromElsewhere(slot_, fd_);
  } else {
    worker_->poller().Remove(slot_, fd_);
  }
  worker_ = nullptr;
  event_ = nullptr;
  parked_ = false;
  watches_writes_ = false;
}

void Socket::Park(PollSink* sink, uint64_t token) {
  if (queued_) worker_->sends().Flush();
  parked_ = true;
  event_ = nullptr;
  worker_->poller().Redirect(slot_, sink, token);
}

void Socket::Unpark(Worker& worker, Event* event) {
  if (worker_ == &worker) {
    parked_ = false;
    event_ = event;
    worker.poller().Redirect(slot_, this, 0);
    return;
  }
  Detach();
  Attach(worker, event);
}

IoResult Socket::Read(std::span<std::byte> out) {
  const ssize_t got = recv(fd_, out.data(), out.size(), 0);
  if (got > 0) {
    // Less than asked for: drained. Only an end that is already known is still to be read.
    if (static_cast<size_t>(got) < out.size()) readable_ = hung_up_;
    return {IoState::kOk, static_cast<size_t>(got)};
  }
  if (got == 0) return {IoState::kClosed, 0};
  if (broken_ || !WouldBlock(errno)) return {IoState::kFailed, 0};
  NoteReadBlocked();
  return {IoState::kBlocked, 0};
}

IoResult Socket::Write(std::span<const std::byte> in) {
  if (broken_) return {IoState::kFailed, 0};
  const ssize_t put = send(fd_, in.data(), in.size(), MSG_NOSIGNAL);
  if (put < 0 && !WouldBlock(errno)) return {IoState::kFailed, 0};
  if (put < static_cast<ssize_t>(in.size())) NoteWriteBlocked();
  if (put <= 0) return {IoState::kBlocked, 0};
  return {IoState::kOk, static_cast<size_t>(put)};
}

IoResult Socket::Write(std::span<const std::string_view> pieces) {
  if (broken_) return {IoState::kFailed, 0};
  constexpr size_t kMostPieces = 8;
  iovec parts[kMostPieces];
  size_t count = 0;
  size_t size = 0;
  for (const std::string_view piece : pieces.first(std::min(pieces.size(), kMostPieces))) {
    if (piece.empty()) continue;
    parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
    size += piece.size();
  }
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  const ssize_t put = sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (put < 0 && !WouldBlock(errno)) return {IoState::kFailed, 0};
  if (put < static_cast<ssize_t>(size)) NoteWriteBlocked();
  if (put <= 0) return {IoState::kBlocked, 0};
  return {IoState::kOk, static_cast<size_t>(put)};
}

void Socket::NoteWriteBlocked() {
  writable_ = false;
  if (watches_writes_ || worker_ == nullptr) return;
  watches_writes_ = true;
  worker_->poller().WatchWrites(slot_, fd_);
}

void Socket::NoteBroken() {
  broken_ = hung_up_ = readable_ = true;
  if (event_ != nullptr) event_->Set();
}

bool Socket::QuietAndOpen() const {
  char byte;
  const ssize_t got = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && WouldBlock(errno);
}

void Socket::OnPoll(uint32_t events, uint64_t) {
  if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) hung_up_ = true;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) readable_ = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) writable_ = true;
  if (event_ != nullptr) event_->Set();
}

}  // namespace pgweir::net
