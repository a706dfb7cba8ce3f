#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/event.h"
#include "net/poller.h"

namespace pgweir::net {

enum class IoState : uint8_t {
  kOk,       // `bytes` were moved, at least one
  kBlocked,  // nothing can be moved now; the event will be set when that changes
  kClosed,   // the peer has ended the stream in order
  kFailed,   // the connection is broken
};

struct IoResult {
  IoState state = IoState::kOk;
  size_t bytes = 0;
};

// A non-blocking stream socket and how its readiness is learnt: the rest of the house sees only
// "may be readable", "may be writable" and an event. A read that got less than it asked for has
// drained the socket, so no system call is spent on finding that out.
//
// Attached to one worker at a time and used on its thread.
class Socket final : private PollSink {
 public:
  // With kOwns the descriptor is closed with the socket; otherwise somebody else does.
  enum class Ownership { kOwns, kBorrows };

  Socket(int fd, Ownership ownership) : fd_(fd), ownership_(ownership) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Watches the descriptor on the worker's poller; what happens sets `event`, which must live until
  // Detach, Park or another Attach.
  void Attach(Worker& worker, Event* event);
  void Detach();

  // Leaves the descriptor with the worker's poller while nobody uses the socket: events go to
  // `sink` with `token`. Unpark takes it back, for the worker whose thread calls it.
  void Park(PollSink* sink, uint64_t token);
  void Unpark(Worker& worker, Event* event);
  // There were events while it was parked that went to the sink.
  void NoteReadable() { readable_ = true; }

  // Whether a read or write is worth trying.
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  // The peer has ended the stream or the connection broke; there may still be bytes to read.
  bool hung_up() const { return hung_up_; }

  IoResult Read(std::span<std::byte> out);
  IoResult Write(std::span<const std::byte> in);
  // Several pieces, one behind the other, by one call.
  IoResult Write(std::span<const std::string_view> pieces);

  // For TLS, which does its own calls on fd(): notes that one found nothing.
  void NoteReadBlocked() { readable_ = hung_up_; }
  void NoteWriteBlocked();

  // Something of it is in its worker's SendBatch, which is told before the descriptor goes.
  void NoteQueued(bool queued) { queued_ = queued; }
  // A send was refused for good. What has come is still read, and behind it that it failed.
  void NoteBroken();

  // Asks the kernel, with one call that moves nothing, whether a socket without news is still good:
  // true when there is nothing to read and no end.
  bool QuietAndOpen() const;

  int fd() const { return fd_; }
  Worker* worker() const { return worker_; }

 private:
  void OnPoll(uint32_t events, uint64_t token) override;

  const int fd_;
  const Ownership ownership_;
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;
  bool broken_ = false;
  bool watches_writes_ = false;
  bool parked_ = false;
  bool queued_ = false;
  Worker* worker_ = nullptr;
  Event* event_ = nullptr;
  Poller::Slot slot_ = 0;
};

}  // namespace pgweir::net
