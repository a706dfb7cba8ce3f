#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "bench/relay/edge_relay.h"
#include "bench/relay/loops.h"

namespace pgweir::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

constexpr std::chrono::milliseconds kTurn{1};

class NestedLoop {
 public:
  NestedLoop(asio::io_context& io, EdgeRelay& relay)
      : relay_(relay), descriptor_(io, dup(relay.epoll_fd())) {}

  void Sleep() {
    descriptor_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
      if (error) return;
      relay_.Poll(0);
      Sleep();
    });
  }

 private:
  EdgeRelay& relay_;
  Descriptor descriptor_;
};

class HotLoop {
 public:
  HotLoop(asio::io_context& io, EdgeRelay& relay)
      : io_(io), relay_(relay), descriptor_(io, dup(relay.epoll_fd())) {}

  void Sleep() {
    descriptor_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
      if (!error) Turn();
    });
  }

 private:
  void Turn() {
    const Clock::time_point until = Clock::now() + kTurn;
    while (relay_.Poll(static_cast<int>(kTurn.count())) > 0) {
      if (relay_.TakeWoken() || Clock::now() >= until) {
        asio::post(io_, [this] { Turn(); });
        return;
      }
    }
    Sleep();
  }

  asio::io_context& io_;
  EdgeRelay& relay_;
  Descriptor descriptor_;
};

class HotTickLoop {
 public:
  HotTickLoop(asio::io_context& io, EdgeRelay& relay)
      : io_(io), relay_(relay), descriptor_(io, dup(relay.epoll_fd())) {}

  void Sleep() {
    descriptor_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
      if (error) return;
      relay_.TickEvery(static_cast<int>(kTurn.count()));
      Turn();
    });
  }

 private:
  void Turn() {
    int events = 0;
    do {
      events += relay_.Poll(-1);
      if (relay_.TakeWoken()) break;
    } while (!relay_.TakeTick());
    if (events > 0) {
      asio::post(io_, [this] { Turn(); });
      return;
    }
    relay_.TickEvery(0);
    Sleep();
  }

  asio::io_context& io_;
  EdgeRelay& relay_;
  Descriptor descriptor_;
};

template <typename Loop>
void RunInside(uint16_t port, const sockaddr_in& server) {
  asio::io_context io(1);
  EdgeRelay relay(port, server);
  Loop loop(io, relay);
  loop.Sleep();
  io.run();
}

}  // namespace

void RunEpoll(uint16_t port, const sockaddr_in& server) {
  EdgeRelay relay(port, server);
  for (;;) relay.Poll(-1);
}

void RunNested(uint16_t port, const sockaddr_in& server) { RunInside<NestedLoop>(port, server); }

void RunHot(uint16_t port, const sockaddr_in& server) { RunInside<HotLoop>(port, server); }

void RunHotTick(uint16_t port, const sockaddr_in& server) { RunInside<HotTickLoop>(port, server); }

}  // namespace pgweir::bench
