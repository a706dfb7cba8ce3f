#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "base/strings.h"
#include "observe/heavy_hitters.h"

namespace pgweir::observe {

// By what a symbol may be heavy.
enum class SymbolLoad : uint8_t { kCalls, kRows, kTime };
inline constexpr size_t kSymbolLoads = HeavyHitters::kLoads;

// A node's heaviest symbols, by each load; kTime in microseconds.
using NodeSymbols = std::array<HeavyHitterList, kSymbolLoads>;

// The heaviest symbols of each node, of one worker's statements, in fixed memory. Record() belongs
// to the worker and never waits: what comes while somebody reads is left out, and counted.
class HotSymbols {
 public:
  static constexpr size_t kMaxNodes = 256;  // further ones are left out

  // `counters` of each node.
  explicit HotSymbols(size_t counters = 600) : counters_(counters) {}

  // A statement on this node, which was about this symbol.
  void Record(std::string_view node, std::string_view symbol, uint64_t rows, uint64_t total_us);

  // From any thread: adds this worker's to those of others, by node.
  void MergeInto(std::map<std::string, NodeSymbols>& all) const;
  // From any thread.
  void Reset();
  uint64_t left_out() const { return left_out_.load(std::memory_order_relaxed); }

 private:
  const size_t counters_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, std::unique_ptr<HeavyHitters>, StringHash, StringEq> nodes_
      ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> left_out_{0};
};

}  // namespace pgweir::observe
