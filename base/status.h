#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/sqlstate.h"
#include "fmt/format.h"

// Expected errors are absl::Status values that carry the SQLSTATE a client will be shown. They
// become an ErrorResponse in exactly one place, proxy/error_response.

namespace pgweir {

using absl::Status;
using absl::StatusOr;

// An error with a SQLSTATE of five characters and a message in PostgreSQL's style: lower case, no
// full stop, never a secret.
Status Error(std::string_view sqlstate, std::string_view message);

template <typename... Args>
Status Errorf(std::string_view sqlstate, fmt::format_string<Args...> format, Args&&... args) {
  return Error(sqlstate, fmt::format(format, std::forward<Args>(args)...));
}

// The same with what the client may do about it, a sentence.
Status WithHint(Status status, std::string_view hint);

// The SQLSTATE of a status: "00000" when it is OK, "XX000" when whoever made it gave none.
std::string SqlStateOf(const Status& status);

// "" when it has none.
std::string HintOf(const Status& status);

inline std::string MessageOf(const Status& status) { return std::string(status.message()); }

}  // namespace pgweir
