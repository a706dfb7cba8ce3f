#include "net/send_batch.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "net/output.h"
#include "tests/net/on_worker.h"

namespace pgweir::net {
namespace {

// A worker's connection, and the bare descriptor at its other end.
class Connection {
 public:
  explicit Connection(Worker& worker) : event(worker) {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    stream.emplace(fds[0], Socket::Ownership::kOwns);
    stream->socket().Attach(worker, &event);
    output.emplace();
    peer = fds[1];
  }
  ~Connection() { ClosePeer(); }

  void Send(std::string_view text) { state = output->Send(*stream, text); }
  void ClosePeer() {
    if (peer >= 0) close(peer);
    peer = -1;
  }
  // What has arrived. Any thread.
  std::string Take() const {
    std::string all;
    std::array<char, 65536> bytes;
    ssize_t got;
    while ((got = recv(peer, bytes.data(), bytes.size(), 0)) > 0) all.append(bytes.data(), got);
    return all;
  }

  Event event;
  std::optional<Stream> stream;
  std::optional<Output> output;
  IoState state = IoState::kOk;
  int peer = -1;
};

// Three connections of one worker; what a Do does is one turn.
class SendBatchTest : public testing::Test {
 protected:
  SendBatchTest() {
    worker_.Do([&] {
      for (auto& connection : connections_) connection = std::make_unique<Connection>(*worker_);
    });
  }
  ~SendBatchTest() override {
    worker_.Do([&] {
      for (auto& connection : connections_) connection.reset();
    });
  }

  void EndOfTurn() {
    worker_.Do([] {});
  }
  bool batches() {
    return worker_.Do([&] { return worker_->sends().on(); });
  }

  RunningWorker worker_;
  std::array<std::unique_ptr<Connection>, 3> connections_;
  Connection& a() { return *connections_[0]; }
  Connection& b() { return *connections_[1]; }
  Connection& c() { return *connections_[2]; }
};

TEST_F(SendBatchTest, SendsOfOneTurnGoOutAtItsEnd) {
  if (!batches()) GTEST_SKIP() << "the kernel doesn't allow io_uring here";
  const std::string early = worker_.Do([&] {
    a().Send("one");
    b().Send("two");
    c().Send("three");
    return a().Take() + b().Take() + c().Take();
  });
  EXPECT_EQ(early, "");
  EndOfTurn();
  EXPECT_EQ(a().Take(), "one");
  EXPECT_EQ(b().Take(), "two");
  EXPECT_EQ(c().Take(), "three");
}

TEST_F(SendBatchTest, OneSendAloneGoesOutToo) {
  worker_.Do([&] { a().Send("alone"); });
  EndOfTurn();
  EXPECT_EQ(a().Take(), "alone");
}

TEST_F(SendBatchTest, PiecesAreOneBehindTheOther) {
  constexpr std::string_view kPieces[] = {"first ", "", "second"};
  worker_.Do([&] {
    a().state = a().output->Send(*a().stream, kPieces);
    a().Send(" third");
    b().Send("other");
  });
  EndOfTurn();
  EXPECT_EQ(a().Take(), "first second third");
  EXPECT_EQ(b().Take(), "other");
}

TEST_F(SendBatchTest, OneStreamsSendsKeepTheirOrder) {
  const std::string large(size_t{3} << 20, 'x');
  worker_.Do([&] {
    a().Send("1");
    b().Send("other");
    a().Send("2");
    a().Send("3");
    b().Send("wise");
    a().Send(large);
    a().Send("4");
  });
  std::string got;
  const TimePoint until = Clock::now() + std::chrono::seconds(10);
  while (got.size() < large.size() + 4 && Clock::now() < until) {
    worker_.Do([&] { a().output->Flush(*a().stream); });
    got += a().Take();
  }
  EXPECT_TRUE(got == "123" + large + "4") << got.size();
  EXPECT_EQ(b().Take(), "otherwise");
}

TEST_F(SendBatchTest, WhatIsSmallDoesNotWaitForWhatIsLarge) {
  const std::string large(SendBatch::kMostBytes + 1, 'x');
  const std::string got = worker_.Do([&] {
    a().Send("small");
    b().Send(large);
    return a().Take();
  });
  EXPECT_EQ(got, "small");
  EXPECT_EQ(b().Take(), large);
}

TEST_F(SendBatchTest, NothingIsNoSend) {
  worker_.Do([&] {
    a().Send("");
    b().Send("some");
  });
  EndOfTurn();
  EXPECT_EQ(a().state, IoState::kOk);
  EXPECT_EQ(a().Take(), "");
  EXPECT_EQ(b().Take(), "some");
}

// More than the batch holds, in sends and in bytes.
TEST_F(SendBatchTest, ManySendsOfOneTurnAllArrive) {
  const std::string text(SendBatch::kMostBytes / 2, 'm');
  worker_.Do([&] {
    for (int i = 0; i < 40; ++i) {
      for (auto& connection : connections_) connection->Send(text);
    }
  });
  EndOfTurn();
  for (auto& connection : connections_) EXPECT_EQ(connection->Take().size(), 40 * text.size());
}

TEST_F(SendBatchTest, WhatAStreamDoesNotTakeIsKeptInOrder) {
  std::string sent;
  for (int turn = 0; turn < 2000 && worker_.Do([&] { return a().output->empty(); }); ++turn) {
    const std::string text = std::to_string(turn) + std::string(3000, ' ');
    worker_.Do([&] {
      a().Send(text);
      b().Send("x");
    });
    sent += text;
  }
  ASSERT_FALSE(worker_.Do([&] { return a().output->empty(); }));
  worker_.Do([&] {
    a().Send("the end");
    b().Send("x");
  });
  sent += "the end";
  std::string got;
  const TimePoint until = Clock::now() + std::chrono::seconds(10);
  while (got.size() < sent.size() && Clock::now() < until) {
    got += a().Take();
    worker_.Do([&] { a().output->Flush(*a().stream); });
  }
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size();
}

TEST_F(SendBatchTest, BrokenConnectionIsToldAndTheOthersAreServed) {
  a().ClosePeer();
  worker_.Do([&] {
    a().Send("lost");
    b().Send("kept");
    c().Send("too");
  });
  EndOfTurn();
  EXPECT_TRUE(worker_.Do([&] { return a().stream->socket().hung_up(); }));
  EXPECT_TRUE(worker_.Do([&] { return a().stream->readable(); }));
  EXPECT_EQ(b().Take(), "kept");
  EXPECT_EQ(c().Take(), "too");
}

// A peer that reads no more, but hasn't closed: only the send says so.
TEST_F(SendBatchTest, RefusedSendEndsTheConnectionBehindItsLastWords) {
  ASSERT_EQ(write(a().peer, "bye", 3), 3);
  ASSERT_EQ(shutdown(a().peer, SHUT_RD), 0);
  worker_.Do([&] {
    a().Send("lost");
    b().Send("kept");
  });
  EndOfTurn();
  std::array<std::byte, 10> bytes{};
  EXPECT_EQ(worker_.Do([&] { return a().stream->Read(bytes).bytes; }), 3u);
  EXPECT_TRUE(worker_.Do([&] { return a().stream->readable(); }));
  EXPECT_EQ(worker_.Do([&] { return a().stream->Read(bytes).state; }), IoState::kFailed);
  worker_.Do([&] { a().Send("more"); });
  EndOfTurn();
  EXPECT_EQ(worker_.Do([&] { return a().output->Flush(*a().stream); }), IoState::kOk);
  EXPECT_EQ(b().Take(), "kept");
}

TEST_F(SendBatchTest, WhatIsSentBeforeAConnectionIsClosedArrives) {
  worker_.Do([&] {
    a().Send("goodbye");
    b().Send("hello");
    a().stream.reset();
  });
  EndOfTurn();
  EXPECT_EQ(a().Take(), "goodbye");
  EXPECT_EQ(b().Take(), "hello");
}

TEST_F(SendBatchTest, WhatIsSentBeforeItsOutputIsGoneArrives) {
  worker_.Do([&] {
    a().Send("goodbye");
    b().Send("hello");
    a().output.reset();
  });
  EndOfTurn();
  EXPECT_EQ(a().Take(), "goodbye");
  EXPECT_EQ(b().Take(), "hello");
}

TEST_F(SendBatchTest, WhatIsSentBeforeASocketIsParkedHasLeft) {
  struct Nobody final : PollSink {
    void OnPoll(uint32_t, uint64_t) override {}
  } nobody;
  const std::string got = worker_.Do([&] {
    b().Send("other");
    a().Send("reset");
    a().stream->socket().Park(&nobody, 0);
    return a().Take();
  });
  EXPECT_EQ(got, "reset");
  worker_.Do([&] { a().stream->socket().Unpark(*worker_, &a().event); });
}

// As under a container's system call filter.
void ForbidIoUring() {
  std::array<sock_filter, 4> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program = {filter.size(), filter.data()};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(SendBatchWithoutIoUring, EachConnectionSendsForItself) {
  std::thread([] {
    ForbidIoUring();
    RunningWorker worker;
    EXPECT_FALSE(worker.Do([&] { return worker->sends().on(); }));
    std::unique_ptr<Connection> connection;
    worker.Do([&] {
      connection = std::make_unique<Connection>(*worker);
      connection->Send("at once");
    });
    EXPECT_EQ(connection->Take(), "at once");
    worker.Do([&] { connection.reset(); });
  }).join();
}

}  // namespace
}  // namespace pgweir::net
