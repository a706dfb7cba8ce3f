#pragma once

#include <future>

#include "net/task.h"
#include "net/worker.h"

namespace pgweir::net {

// A worker that runs, for tests that look at it from outside.
class RunningWorker {
 public:
  explicit RunningWorker(int index = 0) : worker_(index) { worker_.Start("test"); }
  ~RunningWorker() {
    worker_.Stop();
    worker_.Join();
  }
  Worker& operator*() { return worker_; }
  Worker* operator->() { return &worker_; }

  // Runs `function` on the worker's thread and waits for its result.
  template <typename F>
  auto Do(F function) {
    std::promise<decltype(function())> promise;
    worker_.Post([&] {
      if constexpr (std::is_void_v<decltype(function())>) {
        function();
        promise.set_value();
      } else {
        promise.set_value(function());
      }
    });
    return promise.get_future().get();
  }

  // Runs a task to its end and waits for its result.
  template <typename T>
  T Await(absl::AnyInvocable<Task<T>()> make) {
    std::promise<T> promise;
    worker_.Post([&] { Spawn(Deliver<T>(make(), promise)); });
    return promise.get_future().get();
  }

 private:
  template <typename T>
  static Task<void> Deliver(Task<T> task, std::promise<T>& promise) {
    try {
      promise.set_value(co_await std::move(task));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }

  Worker worker_;
};

}  // namespace pgweir::net
