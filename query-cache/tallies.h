#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "query-cache/admission.h"

namespace pgweir::cache {

// How often answers were found, of one rule, table or statement. Any thread; only ever grows.
struct Tally {
  std::atomic<uint64_t> hits = 0;
  std::atomic<uint64_t> misses = 0;
  std::atomic<uint64_t> shadow_hits = 0;  // that a rule in mode "shadow" would have had
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Refusal::kCount)> refusals{};

  void Hit() { hits.fetch_add(1, std::memory_order_relaxed); }
  void Miss() { misses.fetch_add(1, std::memory_order_relaxed); }
  void ShadowHit() { shadow_hits.fetch_add(1, std::memory_order_relaxed); }
  void Refuse(Refusal why) {
    refusals[static_cast<size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  }
};

// Tallies by name. A Tally lives as long as this, so that whoever counts looks it up once.
class Tallies {
 public:
  // Beyond these the rest is counted as one, under kOthers.
  static constexpr size_t kMost = 5'000;
  static constexpr std::string_view kOthers = "(others)";

  Tally& Of(std::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);

  struct Listed {
    std::string name;
    const Tally* tally;
  };
  std::vector<Listed> List() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Tally>, std::less<>> tallies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::cache
