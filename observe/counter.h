#pragma once

#include <atomic>
#include <cstdint>

namespace pgweir::observe {

// A number that one thread changes and any may read, without a locked instruction. Several of them
// are not read as of one moment. A copy has the value that was read.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter& other) : value_(other.Get()) {}
  Counter& operator=(const Counter& other) {
    Set(other.Get());
    return *this;
  }

  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(uint64_t amount) { Set(Get() + amount); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace pgweir::observe
