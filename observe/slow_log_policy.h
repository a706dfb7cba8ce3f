#pragma once

#include <cstdint>
#include <string_view>

#include "config/config.h"
#include "observe/statement_record.h"

namespace pgweir::observe {

// Which statements are logged, by [slow_log] and its rules. A value made from a snapshot of the
// configuration, which outlives it. Without rules Wants() costs a few comparisons.
class SlowLogPolicy {
 public:
  explicit SlowLogPolicy(const config::SlowLog& options);

  // `random` is evenly spread over its range, and drawn for each statement; it decides on samples.
  bool Wants(const StatementRecord& record, uint32_t random) const;
  // Whether it took as long as its threshold.
  bool IsSlow(const StatementRecord& record) const;

 private:
  // The first that matches; null = none.
  const config::SlowLogRule* RuleFor(const StatementRecord& record) const;

  const config::SlowLog* options_;
  uint64_t least_us_ = 0;  // what is faster is logged as a sample or error only
  bool samples_ = false;   // some statements
};

}  // namespace pgweir::observe
