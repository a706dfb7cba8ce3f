#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "report/statement.h"

namespace pgweir::report {

enum class LineKind {
  kStatement,  // of pgweir's
  kPlan,       // likewise: a digest's plan, which was asked for after a statement
  kOther,      // a line of jsonlog that pgweir did not write, such as PostgreSQL's own
  kBroken,
};

// Reads lines of the slow-query log: PostgreSQL's jsonlog with an object `pgweir`. What is missing
// or of another type than it should be is left out, so that logs of other versions can be read.
class LogLineParser {
 public:
  // So many bytes behind a line must be readable; what they are does not matter.
  static constexpr size_t kPadding = 64;

  LogLineParser();
  ~LogLineParser();

  LineKind Parse(std::string_view line);

  // Of the line that was a statement, or a plan.
  const Statement& statement() const;
  // Why the line was broken: "is no JSON: ...".
  std::string_view fault() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgweir::report
