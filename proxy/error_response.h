#pragma once

#include <string>

#include "base/status.h"

namespace pgweir::proxy {

// The one place where a Status becomes what a client sees.
enum class Severity { kError, kFatal };
void AppendError(std::string& out, Severity severity, const Status& status);

}  // namespace pgweir::proxy
