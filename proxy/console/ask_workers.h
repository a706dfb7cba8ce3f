#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/event.h"
#include "net/task.h"
#include "proxy/host.h"

namespace pgweir::proxy {

// What each worker answers on its own thread: nobody touches another thread's sessions. `event` is
// of the caller's worker, `host` the caller's. Incomplete when the process ends meanwhile.
template <typename T>
net::Task<std::vector<T>> AskWorkers(SessionHost& host, net::Event& event,
                                     std::function<T(SessionHost&)> ask) {
  // Used on the caller's thread only; outlives the caller where an answer is still on its way.
  struct Answers {
    std::vector<T> values;
    net::Event* event;
  };
  auto answers = std::make_shared<Answers>();
  answers->event = &event;
  net::Worker* home = &host.worker();
  for (const auto& other : host.shared().hosts) {
    other->worker().Post([asked = other.get(), home, answers, ask] {
      home->Post([answers, value = ask(*asked)]() mutable {
        answers->values.push_back(std::move(value));
        if (answers->event != nullptr) answers->event->Set();
      });
    });
  }
  while (answers->values.size() < host.shared().hosts.size() && host.ending() != Ending::kNow) {
    co_await event.Wait();
  }
  answers->event = nullptr;
  co_return std::move(answers->values);
}

}  // namespace pgweir::proxy
