#pragma once

#include <atomic>
#include <functional>

#include "base/clock.h"
#include "base/status.h"

namespace pgweir::pooler {

// One server as those see it who use it: how busy it is with them, and what they have to tell of
// it. Shared by all of them, and the same object as long as the server is configured. Any thread.
class ServerWatch {
 public:
  enum class News {
    kSuspect,      // somebody met something odd
    kLoginFailed,  // with the status
    kLoggedIn,     // for the first time, or after a failure
  };
  using Tell = std::function<void(News, const Status&)>;

  // `tell` is called on any thread, once for what comes in quick succession: see Heard. Without
  // `counts`, how busy the server is interests nobody.
  ServerWatch(bool counts, Tell tell) : counts_(counts), tell_(std::move(tell)) {}

  // --- how busy it is ---
  void Began() {
    if (counts_) in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  void Ended() {
    if (counts_) in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  // A statement has been answered. Of two threads at once one may be lost.
  void Answered(Duration took);
  int in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  // Of late; zero before the first statement.
  Duration latency() const { return Duration(latency_.load(std::memory_order_relaxed)); }

  // --- news ---
  // A server's error or a lost connection says that it may not be what it was.
  void Suspect();
  void LoginFailed(const Status& why);
  void LoggedIn() {
    if (failing_.load(std::memory_order_relaxed)) TellRecovery();
  }
  // What was told by Suspect has been acted on: it may be told again.
  void Heard() { suspected_.store(false, std::memory_order_relaxed); }

 private:
  void TellRecovery();

  const bool counts_;
  const Tell tell_;
  std::atomic<int> in_flight_{0};
  std::atomic<Duration::rep> latency_{0};
  std::atomic<bool> suspected_{false};
  std::atomic<bool> failing_{true};  // until the first login has succeeded
};

}  // namespace pgweir::pooler
