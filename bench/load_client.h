#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/market.h"

// One client of the market workload: an application's thread with a libpq connection that it
// keeps, reading trades and candles of the symbols that people look at most and writing trades.

namespace pgweir::bench {

struct LoadOptions {
  std::string conninfo;
  int clients = 200;
  int write_percent = 20;
  bool newest = false;  // of candles only the last ones are read, not any range
  std::string symbols;  // a regular expression of PostgreSQL's; "" = all
  std::chrono::seconds duration{10};
  std::chrono::milliseconds think{0};          // mean pause between two operations
  std::chrono::milliseconds retry_pause{500};  // mean pause before a refused client tries again
  std::string run = "load";                    // starts every client_order_id that is written
  std::string confirmed_file;                  // "" = none
  uint64_t seed = 1;
};

struct ClientResult {
  std::vector<uint32_t> latencies_us;  // of the operations that succeeded
  uint64_t reads = 0;
  uint64_t refused = 0;                // connections that were not to be had
  uint64_t failed = 0;                 // operations that ended in an error
  std::vector<std::string> confirmed;  // client_order_ids whose COMMIT was answered
  std::string first_error;
};

// Runs until `stop_at`, in the calling thread. An operation under way then is finished.
ClientResult RunClient(const LoadOptions& options, const std::vector<Instrument>& instruments,
                       int number, std::chrono::steady_clock::time_point stop_at);

}  // namespace pgweir::bench
