#pragma once

#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace pgweir::report {

// Where the time of one statement, or of many, went; microseconds.
struct TimeSplit {
  uint64_t queue = 0;     // waited for a backend
  uint64_t server = 0;    // until the server's first byte
  uint64_t transfer = 0;  // from there to the last byte, while the client took what came
  uint64_t client = 0;    // of that, blocked on a client that took nothing
  uint64_t total = 0;     // at least the sum of the others; the rest is pgweir's own

  uint64_t Known() const { return queue + server + transfer + client; }
};

// One statement of the log. Everything is a view into the line or its parser, valid until the next
// line is parsed; a field that the line lacks is empty or 0.
struct Statement {
  int64_t at = 0;  // when it ended, microseconds since 1970
  std::string_view user, database, application, remote_host;
  std::string_view sql, parameters, plan;  // plan: EXPLAIN's JSON
  std::string_view digest, role, traceparent;
  bool failed = false;
  std::string_view sqlstate, error;
  absl::InlinedVector<std::string_view, 4> shards;
  bool cached = false;
  TimeSplit time;
  uint64_t rows = 0, bytes = 0, retries = 0;
};

}  // namespace pgweir::report
