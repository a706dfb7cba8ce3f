#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/pq.h"

namespace pgweir::test {

// Runs short statements until told to stop; nobody ever asks to cancel one of them.
inline void RunUntil(const std::string& conninfo, const std::atomic<bool>& stop,
                     std::atomic<int>& done, std::atomic<int>& hit) {
  Connection neighbour(conninfo);
  while (!stop) {
    Result result = neighbour.Exec("select pg_sleep(0.001)");
    result.ok() ? ++done : ++hit;
    if (!neighbour.ok()) return;
  }
}

// Cancels a client's statements at every moment of their lives (queued, running, just finished,
// finished) while its neighbours take over each backend at once. None of them may be hit.
inline void CancelStorm(const std::string& conninfo, int times, int neighbour_count = 4) {
  std::atomic<bool> stop = false;
  std::atomic<int> hit = 0;
  std::atomic<int> done = 0;
  std::vector<std::thread> neighbours;
  for (int i = 0; i < neighbour_count; ++i) {
    neighbours.emplace_back([&] { RunUntil(conninfo, stop, done, hit); });
  }
  int canceled = 0;
  Connection client(conninfo);
  for (int i = 0; i < times && client.ok(); ++i) {
    client.Send("select pg_sleep(0.004)");
    std::this_thread::sleep_for(std::chrono::microseconds(i * 97 % 9000));
    EXPECT_EQ(client.Cancel(), "");
    while (std::optional<Result> result = client.Next()) {
      if (result->ok()) continue;
      EXPECT_EQ(result->sqlstate(), "57014") << result->message();
      ++canceled;
    }
  }
  stop = true;
  for (std::thread& neighbour : neighbours) neighbour.join();
  EXPECT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(hit, 0) << "neighbours' statements were canceled";
  EXPECT_GT(done, times / 2);
  EXPECT_GT(canceled, times / 20);
}

}  // namespace pgweir::test
