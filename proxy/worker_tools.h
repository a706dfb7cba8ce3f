#pragma once

#include <cstdint>
#include <string>

#include "proxy/session_verdicts.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {

// What the sessions of one worker use by turns, each without suspending meanwhile.
struct WorkerTools {
  explicit WorkerTools(int worker) : next_unnamed((static_cast<uint64_t>(worker) + 1) << 48) {}

  router::StatementCache statements;
  SessionVerdicts catalogs;
  std::string flight;  // requests that are put together anew
  std::string answer;  // likewise answers
  uint64_t next_unnamed;
};

}  // namespace pgweir::proxy
