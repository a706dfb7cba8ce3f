#pragma once

#include <optional>
#include <string_view>

namespace pgweir::report {

// What PostgreSQL's log_min_duration_statement says, and pgweir after it:
//   duration: 12.345 ms  [rows: 5  size: 300 bytes  ](statement: SQL | execute NAME: SQL)
struct DurationMessage {
  double milliseconds = 0;
  std::string_view sql;  // "" when the message is the duration alone
};

// None for any other message.
std::optional<DurationMessage> ParseDurationMessage(std::string_view message);

// "$1 = 'x', $2 = NULL" of "Parameters: $1 = 'x', $2 = NULL"; PostgreSQL wrote the word with a
// small letter until version 15. "" when the detail is something else.
std::string_view ParametersIn(std::string_view detail);

}  // namespace pgweir::report
