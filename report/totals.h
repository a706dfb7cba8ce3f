#pragma once

#include <cstdint>
#include <vector>

#include "report/measures.h"
#include "report/options.h"
#include "report/summary.h"

namespace pgweir::report {

struct DigestTotal {
  uint32_t digest = 0;
  Measures measures;
  double p95 = 0;  // microseconds
};

// All digests, whatever their group and time, by falling order.
std::vector<DigestTotal> DigestTotals(const Summary& summary, Order order);

struct ShardTotal {
  std::string name;  // "" for statements that no server was asked for
  Measures measures;
};

// A statement that asked several nodes counts for each. By falling total time.
std::vector<ShardTotal> ShardTotals(const Summary& summary);

// All statements.
Measures GrandTotal(const Summary& summary);

}  // namespace pgweir::report
