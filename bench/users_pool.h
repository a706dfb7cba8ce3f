#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace pgweir::bench {

// An application's connection pool, as SQLAlchemy's QueuePool with use_lifo: up to size + overflow
// connections, the last used first; who finds none waits in line, and no longer than the time-out;
// what is given back beyond size is closed. It only decides: connections and requests are numbers.
class AppPool {
 public:
  using Clock = std::chrono::steady_clock;

  struct Grant {
    uint64_t request;
    std::optional<uint64_t> connection;  // nothing: the request may open one
  };

  struct GivenBack {
    std::optional<Grant> next;
    bool close = false;
  };

  AppPool(int size, int overflow, Clock::duration timeout)
      : size_(size), limit_(size + overflow), timeout_(timeout) {}

  // Nothing: it waits.
  std::optional<Grant> CheckOut(uint64_t request, Clock::time_point now);

  GivenBack GiveBack(uint64_t connection);

  // A connection that was checked out is lost, or could not be opened: who waits may open another.
  std::optional<Grant> Lose();

  // Takes those out of the line that have waited too long.
  std::vector<uint64_t> TimeOut(Clock::time_point now);

  std::optional<Clock::time_point> NextTimeOut() const;

  int open() const { return open_; }
  int most_open() const { return most_open_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiter {
    uint64_t request;
    Clock::time_point deadline;
  };

  uint64_t PopWaiter();
  Grant Open(uint64_t request);

  const int size_;
  const int limit_;
  const Clock::duration timeout_;
  int open_ = 0;  // idle, checked out, or being opened
  int most_open_ = 0;
  std::vector<uint64_t> idle_;
  std::deque<Waiter> waiting_;  // of one time-out, so also in the order of their deadlines
};

}  // namespace pgweir::bench
