#include "base/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace pgweir {

LogFile::~LogFile() {
  if (fd_ >= 0) close(fd_);
}

Status LogFile::Reopen() {
  const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd < 0) {
    return Errorf(sqlstate::kConfigFileError, "cannot open the log file {}: {}", path_,
                  std::generic_category().message(errno));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  const int old = std::exchange(fd_, fd);
  if (old >= 0) close(old);
  return absl::OkStatus();
}

void LogFile::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  // A full disk costs log lines, nothing else.
  [[maybe_unused]] const ssize_t written = write(fd_, line.data(), line.size());
}

}  // namespace pgweir
