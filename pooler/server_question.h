#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "pooler/node_health.h"

namespace pgweir::pooler {

// Asks a server for what ServerAnswer holds; any role may.
extern const std::string_view kServerQuestion;

// The rows of its answer.
StatusOr<ServerAnswer> ReadServerAnswer(const std::vector<std::vector<std::string>>& rows);

// Whether such a failure to ask says that the server is not usable; else it says only that this
// login may not ask.
bool SaysServerIsDown(const Status& failure);

}  // namespace pgweir::pooler
