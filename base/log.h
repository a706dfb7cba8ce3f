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

// Where lines go. They may go to several.
struct LogTargets {
  bool to_stderr = true;
  std::string file = {};  // appended to; "" = none
  bool syslog = false;
  std::string syslog_ident = {};
  std::string syslog_facility = "daemon";  // as syslog.conf(5) names it
};

// Sets up the process-wide logger. level: trace debug info warn error. Starts a thread: after any
// fork.
Status InitLog(std::string_view level, const LogTargets& targets = {});
// Opens the file anew, which may have been moved away. If that fails, lines go on into the old one.
Status ReopenLog();
// At the end of the process: writes what is queued. Nothing may be logged afterwards.
void FlushLog();

// Writes one line: what clients say may be in it, but begins no line of its own.
void WriteLine(spdlog::level::level_enum level, std::string line);

template <typename... Args>
void LogAt(spdlog::level::level_enum level, fmt::format_string<Args...> format, Args&&... args) {
  if (!spdlog::default_logger_raw()->should_log(level)) return;
  WriteLine(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  LogAt(spdlog::level::debug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  LogAt(spdlog::level::info, format, std::forward<Args>(args)...);
}
// What some want to see and others not.
template <typename... Args>
void LogInfoOrDebug(bool info, fmt::format_string<Args...> format, Args&&... args) {
  LogAt(info ? spdlog::level::info : spdlog::level::debug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarn(fmt::format_string<Args...> format, Args&&... args) {
  LogAt(spdlog::level::warn, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  LogAt(spdlog::level::err, format, std::forward<Args>(args)...);
}

}  // namespace pgweir
