#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bench/load_client.h"

namespace pgweir::bench {

// All clients together.
struct LoadReport {
  int clients = 0;
  int served = 0;  // clients that got at least one operation done
  double seconds = 0;
  uint64_t operations = 0;
  uint64_t reads = 0;
  uint64_t confirmed_writes = 0;
  uint64_t refused = 0;
  uint64_t failed = 0;
  double p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;  // of what succeeded
  std::string first_error;
};

LoadReport Summarize(const std::vector<ClientResult>& results, std::chrono::duration<double> took);

// key=value pairs on one line, for scripts.
std::string MachineLine(const LoadReport& report);

// The same for people, several lines.
std::string HumanTable(const LoadReport& report);

}  // namespace pgweir::bench
