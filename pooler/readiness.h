#pragma once

#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "net/task.h"

namespace pgweir::pooler {

// How a sequence of non-blocking calls waits in between: on a worker, among others, or on a thread
// that may block. So that opening a connection is written once.
class Readiness {
 public:
  enum class Way { kReading, kWriting };

  virtual ~Readiness() = default;

  // Waits until the descriptor may be read, or written. False when the time is over or everything
  // is given up.
  virtual net::Task<bool> Await(int fd, Way way, TimePoint until) = 0;
  // Whether all is over, not just a wait's own time.
  virtual bool over() const = 0;
};

// For a thread that may wait.
class BlockingReadiness final : public Readiness {
 public:
  explicit BlockingReadiness(TimePoint deadline) : deadline_(deadline) {}
  net::Task<bool> Await(int fd, Way way, TimePoint until) override;
  bool over() const override { return Clock::now() >= deadline_; }

 private:
  const TimePoint deadline_;
};

// Runs a task that waits by BlockingReadiness only, and so never suspends.
template <typename T>
T RunBlocking(net::Task<T> task) {
  std::optional<T> result;
  net::Spawn([](net::Task<T> inner, std::optional<T>& out) -> net::Task<void> {
    out.emplace(co_await std::move(inner));
  }(std::move(task), result));
  PGWEIR_CHECK(result.has_value());
  return *std::move(result);
}

}  // namespace pgweir::pooler
