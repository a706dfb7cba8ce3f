#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "spdlog/spdlog.h"

// One line an event: time, level, what happened, then key=value fields. No secret ever reaches a
// call. Thread-safe.
//
//   LogInfo("client logged in session={} user={}", id.value, user);

namespace pgweir {

// Sets up the process-wide logger on stderr. level: trace debug info warn error.
Status InitLog(std::string_view level);
// At the end of the process: writes what is queued. Nothing may be logged afterwards.
void FlushLog();

template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::default_logger_raw()->debug(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::default_logger_raw()->info(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarn(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::default_logger_raw()->warn(format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::default_logger_raw()->error(format, std::forward<Args>(args)...);
}

}  // namespace pgweir
