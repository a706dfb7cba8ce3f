#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace pgweir::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status CannotRead(int error) {
  return Errorf(sqlstate::kConfigFileError, "cannot be read: {}",
                std::generic_category().message(error));
}

// Opening without blocking, since the kind of file is known only afterwards.
int OpenForReading(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

Status CheckRegular(int fd) {
  struct stat info{};
  if (fd < 0 || fstat(fd, &info) != 0) return CannotRead(errno);
  if (S_ISREG(info.st_mode)) return absl::OkStatus();
  return Error(sqlstate::kConfigFileError, "is not a regular file");
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  constexpr size_t kStep = 64 << 10;
  const Descriptor file(OpenForReading(path));
  const Status regular = CheckRegular(file.get());
  if (!regular.ok()) return regular;
  std::string content;
  while (true) {
    const size_t had = content.size();
    content.resize(had + std::max(kStep, had));
    const ssize_t got = read(file.get(), content.data() + had, content.size() - had);
    if (got < 0 && errno != EINTR) return CannotRead(errno);
    content.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (content.size() > max_bytes) {
      return Errorf(sqlstate::kConfigFileError, "is longer than {} MiB", max_bytes >> 20);
    }
    if (got == 0) return content;
  }
}

Status CheckReadable(const std::string& path) {
  const Descriptor file(OpenForReading(path));
  return CheckRegular(file.get());
}

}  // namespace pgweir::config
