#pragma once

#include <deque>
#include <memory>
#include <unordered_map>

#include "bench/market.h"
#include "bench/users_connection.h"
#include "bench/users_pool.h"
#include "bench/users_result.h"
#include "bench/users_schedule.h"

namespace pgweir::bench {

struct UsersOptions {
  std::string conninfo;
  ScheduleOptions schedule;
  int pool_size = 10;
  int overflow = 20;
  std::chrono::milliseconds pool_timeout{5000};
  std::chrono::seconds grace{10};  // how long requests may take once the last one is due
  std::string run = "users";       // starts every client_order_id that is written
  uint64_t seed = 1;
};

// An application that serves its users' requests in one thread. Each checks a connection out of
// the pool, reads the newest trades of a symbol in one transaction, works, writes a trade in a
// second one, and gives the connection back.
class UsersDriver {
 public:
  using Clock = std::chrono::steady_clock;

  UsersDriver(const UsersOptions& options, const std::vector<Instrument>& instruments);
  ~UsersDriver();
  UsersDriver(const UsersDriver&) = delete;
  UsersDriver& operator=(const UsersDriver&) = delete;

  // Prints a line of progress each second.
  UsersResult Run();

 private:
  struct Request {
    Clock::time_point due;
    Clock::time_point connected;
    uint64_t connection = 0;
    bool worked = false;  // the second transaction's turn
    std::string order;    // client_order_id
  };
  struct Held {
    std::unique_ptr<UserConnection> connection;
    uint64_t request = 0;   // 0: idle
    uint32_t interest = 0;  // what epoll was told last
  };
  struct WorkEnd {
    Clock::time_point at;
    uint64_t request;
  };

  bool Over(Clock::time_point now) const;
  void StartDue(Clock::time_point now);
  void TimeOutWaiters(Clock::time_point now);
  void EndWork(Clock::time_point now);
  void ShowProgress(Clock::time_point now);
  void Wait(Clock::time_point now);
  Clock::time_point NextEvent() const;

  void Obey(const AppPool::Grant& grant);
  void OpenFor(uint64_t request);
  void OnReady(uint64_t connection);
  void OnDone(uint64_t connection);
  void OnFailed(uint64_t connection);
  void Begin(uint64_t request);
  void Finish(uint64_t request);
  void Watch(uint64_t connection);

  Transaction Read();
  Transaction Write(Request& request);
  int Draw(int below);

  const UsersOptions options_;
  const std::vector<Instrument>& instruments_;
  const Clock::time_point start_;
  Schedule schedule_;
  AppPool pool_;
  std::mt19937_64 random_;
  std::discrete_distribution<size_t> popularity_;
  int epoll_;
  uint64_t last_id_ = 0;  // of requests and connections, which are never used again
  std::unordered_map<uint64_t, Request> requests_;
  std::unordered_map<uint64_t, Held> connections_;
  std::deque<WorkEnd> working_;  // all work as long, so in the order of their ends
  Clock::time_point next_progress_;
  UsersResult result_;
};

}  // namespace pgweir::bench
