#include "net/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

#include "net/output.h"
#include "tests/net/on_worker.h"

namespace pgweir::net {
namespace {

using std::chrono::milliseconds;

// A connected pair: a Socket of a worker's, and the bare descriptor at its other end.
class SocketTest : public testing::Test {
 protected:
  SocketTest() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    peer_ = fds[1];
    socket_ = std::make_unique<Socket>(fds[0], Socket::Ownership::kOwns);
    worker_.Do([&] {
      event_ = std::make_unique<Event>(*worker_);
      socket_->Attach(*worker_, event_.get());
    });
  }
  ~SocketTest() override {
    worker_.Do([&] {
      socket_.reset();
      event_.reset();
    });
    ClosePeer();
  }

  void PeerSends(std::string_view text) {
    ASSERT_EQ(write(peer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void ClosePeer() {
    if (peer_ >= 0) close(peer_);
    peer_ = -1;
  }
  // Waits on the socket's event until `condition` holds.
  bool Until(absl::AnyInvocable<bool()> condition) {
    return worker_.Await<bool>([&] { return Wait(*event_, condition); });
  }
  static Task<bool> Wait(Event& event, absl::AnyInvocable<bool()>& condition) {
    event.SetDeadline(Clock::now() + std::chrono::seconds(5));
    while (!condition() && !event.expired()) co_await event.Wait();
    event.SetDeadline(kNoDeadline);
    co_return condition();
  }
  IoResult Read(size_t size) {
    return worker_.Do([&] { return socket_->Read(std::span(buffer_).first(size)); });
  }

  RunningWorker worker_{0};
  RunningWorker other_{1};
  std::unique_ptr<Event> event_;
  std::unique_ptr<Socket> socket_;
  std::array<std::byte, 4096> buffer_{};
  int peer_ = -1;
};

TEST_F(SocketTest, ShortReadHasDrainedIt) {
  PeerSends("hello");
  ASSERT_TRUE(Until([&] { return socket_->readable(); }));
  EXPECT_EQ(Read(3).bytes, 3u);
  EXPECT_TRUE(worker_.Do([&] { return socket_->readable(); }));
  EXPECT_EQ(Read(100).bytes, 2u);
  EXPECT_FALSE(worker_.Do([&] { return socket_->readable(); }));
  PeerSends("again");
  EXPECT_TRUE(Until([&] { return socket_->readable(); }));
}

// Rule 28: what came before the end is read before the end.
TEST_F(SocketTest, EndBehindDataIsNotLost) {
  PeerSends("last words");
  ClosePeer();
  ASSERT_TRUE(Until([&] { return socket_->hung_up(); }));
  EXPECT_EQ(Read(100).bytes, 10u);
  EXPECT_TRUE(worker_.Do([&] { return socket_->readable(); }));
  EXPECT_EQ(Read(100).state, IoState::kClosed);
}

// Rule 24: what is not taken is kept, and goes on when there is room.
TEST_F(SocketTest, BlockedOutputGoesOnWhenThePeerReads) {
  const std::string big(8 << 20, 'b');
  Stream stream(dup(worker_.Do([&] { return socket_->fd(); })), Socket::Ownership::kOwns);
  Output output;
  worker_.Do([&] {
    socket_->Detach();
    stream.socket().Attach(*worker_, event_.get());
    return output.Send(stream, big);
  });
  EXPECT_FALSE(worker_.Do([&] { return output.empty(); }));
  size_t got = 0;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    std::array<char, 65536> bytes;
    while (!done) {
      const ssize_t n = read(peer_, bytes.data(), bytes.size());
      if (n > 0) got += static_cast<size_t>(n);
      if (n <= 0) std::this_thread::sleep_for(milliseconds(1));
      if (got == big.size()) done = true;
    }
  });
  EXPECT_TRUE(Until([&] { return output.Flush(stream) == IoState::kOk; }));
  reader.join();
  EXPECT_EQ(got, big.size());
  worker_.Do([&] { stream.socket().Detach(); });
}

class CountingSink final : public PollSink {
 public:
  std::atomic<int> events{0};
  std::atomic<uint64_t> token{0};

 private:
  void OnPoll(uint32_t, uint64_t t) override {
    token = t;
    ++events;
  }
};

// Rule 65: what comes while nobody uses the connection is told to whom it was left with.
TEST_F(SocketTest, ParkedSocketTellsItsSink) {
  CountingSink sink;
  worker_.Do([&] { socket_->Park(&sink, 77); });
  PeerSends("x");
  for (int i = 0; i < 500 && sink.events == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(sink.token, 77u);
  worker_.Do([&] { socket_->Unpark(*worker_, event_.get()); });
  PeerSends("y");
  EXPECT_TRUE(Until([&] { return socket_->readable(); }));
  EXPECT_EQ(Read(100).bytes, 2u);
}

TEST_F(SocketTest, OtherWorkerTakesAParkedSocketOverWithItsNews) {
  CountingSink sink;
  worker_.Do([&] { socket_->Park(&sink, 1); });
  PeerSends("news");
  for (int i = 0; i < 500 && sink.events == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
  std::unique_ptr<Event> event;
  other_.Do([&] {
    event = std::make_unique<Event>(*other_);
    socket_->Unpark(*other_, event.get());
  });
  auto readable = [&]() -> bool { return socket_->readable(); };
  absl::AnyInvocable<bool()> condition = readable;
  EXPECT_TRUE(other_.Await<bool>([&] { return Wait(*event, condition); }));
  EXPECT_EQ(other_.Do([&] { return socket_->Read(buffer_).bytes; }), 4u);
  other_.Do([&] {
    socket_->Detach();
    event.reset();
  });
  worker_.Do([&] { socket_->Attach(*worker_, event_.get()); });
}

TEST_F(SocketTest, QuietAndOpenSeesDataAndEnd) {
  EXPECT_TRUE(worker_.Do([&] { return socket_->QuietAndOpen(); }));
  PeerSends("x");
  EXPECT_FALSE(worker_.Do([&] { return socket_->QuietAndOpen(); }));
  Read(10);
  EXPECT_TRUE(worker_.Do([&] { return socket_->QuietAndOpen(); }));
  ClosePeer();
  EXPECT_FALSE(worker_.Do([&] { return socket_->QuietAndOpen(); }));
}

}  // namespace
}  // namespace pgweir::net
