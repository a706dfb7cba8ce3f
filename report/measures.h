#pragma once

#include <cstdint>

#include "report/quantile_sketch.h"
#include "report/statement.h"

namespace pgweir::report {

// What is counted of statements, wherever statements are put together.
struct Measures {
  uint64_t calls = 0, errors = 0, cached = 0, rows = 0, bytes = 0;
  TimeSplit time;
  QuantileSketch durations;  // microseconds

  void Add(const Statement& statement);
  void Merge(const Measures& other);
};

}  // namespace pgweir::report
