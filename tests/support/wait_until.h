#pragma once

#include <chrono>
#include <thread>

namespace pgweir::test {

// Looks until it holds. False when it doesn't within that time.
template <class Condition>
bool WaitUntil(const Condition& condition,
               std::chrono::milliseconds within = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace pgweir::test
