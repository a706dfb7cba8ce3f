#pragma once

#include <array>

#include "observe/counter.h"
#include "observe/histogram.h"
#include "observe/statement_record.h"

namespace pgweir::observe {

// What is added up of statements. One thread changes it, any may read or copy: a reader in between
// sees some of a statement's numbers and not yet the others.
struct DigestSums {
  Counter calls, errors, rows, bytes, retries, cache_hits;
  // As in TimeSplit, in microseconds.
  Counter total_us, route_us, wait_us, connect_us, sync_us, ahead_us, backend_us, transfer_us,
      blocked_us;
  std::array<Counter, 4> shards;  // ShardBits of all
  Counter first_seen, last_seen;  // microseconds of the system's clock; 0 = none
  Histogram latency;              // of total_us

  void Add(const StatementRecord& record);
  void Merge(const DigestSums& other);
  void Clear();
};

}  // namespace pgweir::observe
