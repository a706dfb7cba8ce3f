#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "observe/statement_record.h"

namespace pgweir::observe {

// What a line holds of a statement.
struct LineOptions {
  config::Redact redact = config::Redact::kNone;
  size_t parameter_max_length = 1024;  // bytes of each parameter's text
  size_t statement_max_length = size_t{1} << 20;
};

// Writes statements, and plans, as lines of the slow-query log: each a JSON object as PostgreSQL's
// jsonlog has it, in its order of keys and without white space between tokens, followed by the
// object "pgweir" with what only pgweir knows. So pgBadger reads it, which looks for keys and the
// ends of strings by regular expressions; hence that object is last, and has none of jsonlog's
// keys.
//
// For one thread. The buffer is kept: once warm nothing is allocated.
class SlowLogLine {
 public:
  // With the newline at its end. Valid until the next call.
  std::string_view Write(const StatementRecord& record, const LineOptions& options);
  // Likewise of a plan, with the same keys as far as there is something to say.
  std::string_view WritePlan(const PlanRecord& plan);

 private:
  void Begin();
  void AddClient();
  void AddSeverity();
  void AddMessage();
  void AddStatement();
  void AddParameters();
  void AddPlace();
  void AddTimes();
  void AddNodes(std::span<const std::string_view> nodes);

  void Key(std::string_view key);
  void Text(std::string_view key, std::string_view value);
  void Number(std::string_view key, uint64_t value);
  void Time(std::string_view key, WallTime time, bool with_millis);
  bool HidesParameters() const;

  std::string line_;
  std::string scratch_;
  const StatementRecord* record_ = nullptr;  // outside Write() null, as is `options_`
  const LineOptions* options_ = nullptr;
  bool secret_ = false;  // the statement may hold one
};

}  // namespace pgweir::observe
