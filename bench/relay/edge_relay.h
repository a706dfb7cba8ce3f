#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgweir::bench {

// A two-way TCP relay on an edge-triggered epoll. It knows nothing of loops: whoever runs it
// decides when to Poll, which is all that the epoll, nested and hot variants differ in.
//
// A read that got less than it asked for has drained the socket, so none is spent on finding that
// out; only after a hang-up is the end of the stream read too.
class EdgeRelay {
 public:
  EdgeRelay(uint16_t port, const sockaddr_in& server);
  ~EdgeRelay();
  EdgeRelay(const EdgeRelay&) = delete;
  EdgeRelay& operator=(const EdgeRelay&) = delete;

  // Waits up to `timeout_ms` (-1: for good), moves what can be moved, returns how many events there
  // were, ticks not counted.
  int Poll(int timeout_ms);

  // Readable when Poll would find something.
  int epoll_fd() const { return epoll_; }

  // Writing to this eventfd from anywhere ends a Poll that waits; woken() tells once that it did.
  int wake_fd() const { return wake_; }
  bool TakeWoken();

  // Ends a Poll that waits every `period_ms` from now on; 0 stops that. Once armed, a tick costs
  // less than a timeout, which the kernel arms and cancels for each Poll that waits.
  void TickEvery(int period_ms);
  bool TakeTick();

 private:
  struct Session;

  // One socket of a session.
  struct End {
    Session* session;
    End* other;
    int fd;
    bool readable = false;
    bool hung_up = false;
    bool finished = false;  // its stream has ended and the other end was told
    // Read from the other end, and not yet taken by this one: while there is any, the other end is
    // not read.
    std::string unsent{};
  };

  struct Session {
    End client;
    End server;
    bool closed = false;
  };

  void Watch(int fd, void* owner, uint32_t events);
  void Accept();
  void OnEvents(End& end, uint32_t events);
  void Pump(End& from);
  bool Flush(End& to);
  void Finish(End& from);
  void Close(Session& session);

  const int epoll_;
  const int wake_;
  const int ticker_;
  const int listener_;
  const sockaddr_in server_;
  bool woken_ = false;
  bool ticked_ = false;
  std::vector<std::byte> scratch_;
  // Kept to the end of the batch: a later event of it may still point there.
  std::vector<std::unique_ptr<Session>> closed_;
};

}  // namespace pgweir::bench
