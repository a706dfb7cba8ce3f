#include "base/log.h"

#include "spdlog/async.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace pgweir {

Status InitLog(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return Errorf(sqlstate::kConfigFileError,
                  "unknown log level \"{}\": use trace, debug, info, warning or error", level);
  }
  // Written by one thread: a reader of stderr that does not read must not stop the workers. When it
  // is far behind, the oldest lines are lost.
  spdlog::init_thread_pool(8192, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
      "pgweir", std::make_shared<spdlog::sinks::stderr_sink_mt>(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %z [%P] %l %v");
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

void FlushLog() { spdlog::shutdown(); }

}  // namespace pgweir
