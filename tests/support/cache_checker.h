#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pgweir::test {

// Sixteen clients write rows that count how often they were written, and read them through the
// query cache, while rules change, pools are small and backends and servers die.
//
// A row that is written through pgweir is never read as it was before a write that was confirmed to
// anybody before the read began. One that is written behind its back is never read older than its
// rule allows.
struct CacheCheck {
  struct Outcome {
    uint64_t writes = 0;
    uint64_t reads = 0;
    uint64_t hits = 0;    // as SHOW CACHE has them
    uint64_t behind = 0;  // reads that were wrong; the first one's story follows
    std::string story;
  };
  uint64_t seed = 0;
  std::chrono::milliseconds duration{10'000};

  Outcome Run() const;
};

}  // namespace pgweir::test
