#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/message_scanner.h"

namespace pgweir::test {

enum class Side { kToServer, kToClient };
enum class Cut { kNone, kReset, kFinish, kFreeze };

// When to act, and how. Counts start when it is armed and run over all connections together.
struct Trigger {
  Side side = Side::kToServer;
  char type = 0;      // messages of this type; 0 counts bytes
  int64_t count = 1;  // at the count-th of them
  bool after = true;  // once it is forwarded, or in its place
  Cut cut = Cut::kReset;
  std::function<void()> also = {};  // run first, on the gate's thread; must not call the gate
};

// A TCP relay on loopback that can delay, throttle, freeze and cut: put between pgweir and a
// server, or between a client and pgweir.
class Gate {
 public:
  explicit Gate(int server_port);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  int port() const { return port_; }

  void Arm(Trigger trigger);
  bool fired() const { return fired_; }
  bool WaitFired(std::chrono::milliseconds timeout = std::chrono::seconds(10));

  void SetDelay(std::chrono::milliseconds delay);     // of every byte, each way
  void SetRate(Side side, int64_t bytes_per_second);  // 0 = unlimited
  void Freeze(bool frozen);                           // nothing passes, nothing is closed
  void Refuse(bool refuse);                           // new connections are reset
  void CutAll(Cut cut = Cut::kReset);
  // Sends bytes of the gate's own into every open connection.
  void Inject(Side side, const std::string& bytes);

  int links_seen() const { return links_seen_; }
  int links_open() const { return links_open_; }
  int64_t bytes(Side side) const { return bytes_[static_cast<size_t>(side)]; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };
  // One direction of one connection.
  struct Flow {
    Flow(Side s, int from_fd, int to_fd)
        : side(s), from(from_fd), to(to_fd), scanner(s == Side::kToServer) {}
    Side side;
    int from;
    int to;
    MessageScanner scanner;
    std::string unscanned;
    std::deque<Chunk> queue;
    size_t queued = 0;
    Clock::time_point next_write{};
    bool ended = false;   // `from` has no more
    bool closed = false;  // and `to` was told
  };
  struct Link {
    Link(int client, int server)
        : flows{Flow(Side::kToServer, client, server), Flow(Side::kToClient, server, client)} {}
    std::array<Flow, 2> flows;
    bool frozen = false;
    bool dead = false;
  };

  void Run();
  void Accept();
  void Serve(Link& link, short from_client, short from_server);
  void Receive(Link& link, Flow& flow);
  void Pass(Link& link, Flow& flow, std::string data);
  void Fire(Link& link, Flow& flow, std::string rest);
  void Push(Flow& flow, std::string bytes);
  void Write(Flow& flow);
  void Drain(Flow& flow);
  void Apply(Link& link, Cut cut);
  void Wake();
  MessageScanner::Verdict Judge(Side side, char type);

  const int server_port_;
  int port_ = 0;
  int listener_ = -1;
  int wake_ = -1;

  std::mutex mutex_;  // guards what follows; the thread lets go of it only while it waits
  std::condition_variable fired_changed_;
  std::list<Link> links_;
  bool armed_ = false;
  Trigger trigger_;
  int64_t counted_ = 0;
  std::chrono::milliseconds delay_{0};
  std::array<int64_t, 2> rate_{};
  bool frozen_ = false;
  bool refuse_ = false;
  bool stop_ = false;

  std::atomic<bool> fired_ = false;
  std::atomic<int> links_seen_ = 0;
  std::atomic<int> links_open_ = 0;
  std::array<std::atomic<int64_t>, 2> bytes_{};
  std::thread thread_;
};

}  // namespace pgweir::test
