#include "net/worker.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/net/on_worker.h"

namespace pgweir::net {
namespace {

using std::chrono::milliseconds;

TEST(Worker, RunsWhatIsPostedInOrderOnItsThread) {
  RunningWorker worker;
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) {
    worker->Post([&order, &worker, i] {
      if (worker->IsCurrent()) order.push_back(i);
    });
  }
  EXPECT_EQ(worker.Do([&] { return order.size(); }), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_FALSE(worker->IsCurrent());
}

TEST(Worker, ManyThreadsMayPost) {
  RunningWorker worker;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) worker->Post([&count] { ++count; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(worker.Do([&] { return count; }), 20000);
}

TEST(Worker, StopRunsWhatWasPostedBefore) {
  int ran = 0;
  {
    Worker worker;
    worker.Start("stopping");
    worker.Post([&] { ++ran; });
    worker.Stop();
    worker.Join();
  }
  EXPECT_EQ(ran, 1);
}

Task<int> Fails() {
  throw std::runtime_error("from inside");
  co_return 0;
}
Task<int> Doubles(int value) { co_return 2 * value; }
Task<int> Adds() {
  const int a = co_await Doubles(1);
  const int b = co_await Doubles(20);
  co_return a + b;
}

TEST(Task, GivesItsValueToItsAwaiter) {
  RunningWorker worker;
  EXPECT_EQ(worker.Await<int>([] { return Adds(); }), 42);
}

TEST(Task, ThrowsWhatWasThrownInIt) {
  RunningWorker worker;
  EXPECT_THROW(worker.Await<int>([] { return Fails(); }), std::runtime_error);
}

Task<int> WaitsTwiceForOneSet(Worker& worker) {
  Event event(worker);
  event.Set();
  event.Set();
  co_await event.Wait();  // kept though nobody waited yet
  event.SetDeadline(Clock::now() + milliseconds(20));
  co_await event.Wait();  // the two Sets were one
  co_return event.expired() ? 1 : 0;
}

TEST(Event, KeepsASetThatComesBeforeItsWait) {
  RunningWorker worker;
  EXPECT_EQ(worker.Await<int>([&] { return WaitsTwiceForOneSet(*worker); }), 1);
}

Task<int> WaitsForAMovedDeadline(Worker& worker) {
  Event event(worker);
  Event other(worker);
  other.SetDeadline(Clock::now() + milliseconds(5));  // an earlier one of somebody else's
  event.SetDeadline(Clock::now() + std::chrono::hours(1));
  event.SetDeadline(Clock::now() + milliseconds(30));
  const TimePoint start = Clock::now();
  co_await event.Wait();
  const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  event.SetDeadline(kNoDeadline);
  co_return event.expired() ? -1 : static_cast<int>(waited.count());
}

TEST(Event, FiresAtItsDeadlineAndNotBefore) {
  RunningWorker worker;
  EXPECT_GE(worker.Await<int>([&] { return WaitsForAMovedDeadline(*worker); }), 29);
}

TEST(Event, MayEndWhileItWaitsToBeResumed) {
  RunningWorker worker;
  worker.Do([&] {
    auto event = std::make_unique<Event>(*worker);
    event->SetDeadline(Clock::now() + std::chrono::hours(1));
    event->Set();
  });
  EXPECT_EQ(worker.Await<int>([] { return Adds(); }), 42);
}

}  // namespace
}  // namespace pgweir::net
