#include "observe/slow_log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace pgweir::observe {
namespace {

constexpr std::chrono::seconds kOpenAgainAfter{1};

std::string Numbered(const std::string& path, int number) {
  return fmt::format("{}.{}", path, number);
}

}  // namespace

void SlowLogFile::Configure(const config::SlowLog& options) {
  if (options.path != options_.path) Close();
  options_ = options;
}

void SlowLogFile::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  retry_at_ = {};
}

size_t SlowLogFile::Append(std::string_view lines, TimePoint now) {
  if (fd_ >= 0 && IsDue(now)) Rotate();
  if (fd_ < 0 && !Open(now)) return 0;
  size_t ignored = 0;
  if (in_line_ && !WriteAll("\n", ignored)) return 0;
  in_line_ = false;
  size_t written = 0;
  if (WriteAll(lines, written)) {
    fault_ = absl::OkStatus();
  } else {
    in_line_ = written != 0 && lines[written - 1] != '\n';
  }
  return written;
}

bool SlowLogFile::Open(TimePoint now) {
  if (now < retry_at_) return false;
  // As PostgreSQL makes its log_directory: that folder, not those above it.
  std::error_code ignored;
  std::filesystem::create_directory(std::filesystem::path(options_.path).parent_path(), ignored);
  // Without O_NONBLOCK a pipe that nobody reads would hold the thread.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  fd_ = open(options_.path.c_str(), kFlags, 0640);
  struct stat status = {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) {
    Fail("open");
    Close();
    retry_at_ = now + kOpenAgainAfter;
    return false;
  }
  regular_ = S_ISREG(status.st_mode);
  size_ = static_cast<uint64_t>(status.st_size);
  opened_ = now;
  in_line_ = false;
  return true;
}

bool SlowLogFile::IsDue(TimePoint now) const {
  if (!regular_ || size_ == 0) return false;
  const bool large = options_.rotate_size != 0 && size_ >= options_.rotate_size;
  const bool old = options_.rotate_age.count() != 0 && now - opened_ >= options_.rotate_age;
  return large || old;
}

// Each file takes the next number, the last one goes. What fails leaves files in their places, and
// lines go on into the one that has the name.
void SlowLogFile::Rotate() {
  const std::string& path = options_.path;
  struct stat mine = {};
  struct stat named = {};
  const bool is_mine = fstat(fd_, &mine) == 0 && stat(path.c_str(), &named) == 0 &&
                       mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
  Close();
  // Moved away already: by a process that took over, or whoever rotates logs.
  if (!is_mine) return;
  if (options_.keep == 0) {
    unlink(path.c_str());
    return;
  }
  for (int number = options_.keep - 1; number >= 1; --number) {
    std::rename(Numbered(path, number).c_str(), Numbered(path, number + 1).c_str());
  }
  std::rename(path.c_str(), Numbered(path, 1).c_str());
}

bool SlowLogFile::WriteAll(std::string_view bytes, size_t& written) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Fail("write to");
      return false;
    }
    written += static_cast<size_t>(count);
    size_ += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void SlowLogFile::Fail(std::string_view what) {
  fault_ = Errorf(sqlstate::kConfigFileError, "cannot {} the slow-query log {}: {}", what,
                  options_.path, std::generic_category().message(errno));
}

}  // namespace pgweir::observe
