#pragma once

#include <chrono>
#include <cstdint>

namespace pgweir::report {

// A bar on stderr, for as long as it lives, where stderr is a terminal; nothing elsewhere.
class Progress {
 public:
  // In bytes of the files; 0 when a pipe is among them.
  explicit Progress(uint64_t whole);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  const uint64_t whole_;
  const bool visible_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
};

}  // namespace pgweir::report
