#include "base/log.h"

#include <algorithm>

#include "base/log_file.h"
#include "spdlog/async.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/sinks/syslog_sink.h"

namespace pgweir {
namespace {

// Null without a file. Kept beside the logger, which knows its sinks by their base class only.
std::shared_ptr<LogFile>& TheFile() {
  static std::shared_ptr<LogFile> file;
  return file;
}

StatusOr<int> FacilityOf(std::string_view name) {
  constexpr std::pair<std::string_view, int> kFacilities[] = {
      {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"daemon", LOG_DAEMON},
      {"user", LOG_USER},     {"local0", LOG_LOCAL0},     {"local1", LOG_LOCAL1},
      {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},     {"local4", LOG_LOCAL4},
      {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},     {"local7", LOG_LOCAL7}};
  for (const auto& [known, facility] : kFacilities) {
    if (known == name) return facility;
  }
  return Errorf(sqlstate::kConfigFileError, "unknown syslog facility \"{}\"", name);
}

StatusOr<std::vector<spdlog::sink_ptr>> OpenSinks(const LogTargets& targets) {
  std::vector<spdlog::sink_ptr> sinks;
  if (targets.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (!targets.file.empty()) {
    auto file = std::make_shared<LogFile>(targets.file);
    const Status opened = file->Reopen();
    if (!opened.ok()) return opened;
    TheFile() = file;
    sinks.push_back(std::move(file));
  }
  if (targets.syslog) {
    const auto facility = FacilityOf(targets.syslog_facility);
    if (!facility.ok()) return facility.status();
    sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_mt>(targets.syslog_ident, LOG_PID,
                                                                    *facility, false));
  }
  return sinks;
}

}  // namespace

Status InitLog(std::string_view level, const LogTargets& targets) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return Errorf(sqlstate::kConfigFileError,
                  "unknown log level \"{}\": use trace, debug, info, warning or error", level);
  }
  const auto sinks = OpenSinks(targets);
  if (!sinks.ok()) return sinks.status();
  // Written by one thread: a reader of stderr that does not read must not stop the workers. When it
  // is far behind, the oldest lines are lost.
  spdlog::init_thread_pool(8192, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
      "pgweir", sinks->begin(), sinks->end(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %z [%P] %l %v");
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

Status ReopenLog() { return TheFile() == nullptr ? absl::OkStatus() : TheFile()->Reopen(); }

void WriteLine(spdlog::level::level_enum level, std::string line) {
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  spdlog::default_logger_raw()->log(level, line);
}

void FlushLog() {
  spdlog::shutdown();
  TheFile().reset();
}

}  // namespace pgweir
