#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
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

Status CannotWrite(int error) {
  return Errorf(sqlstate::kConfigFileError, "cannot be written: {}",
                std::generic_category().message(error));
}

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = write(fd, content.data(), content.size());
    if (put < 0 && errno != EINTR) return false;
    content.remove_prefix(static_cast<size_t>(std::max<ssize_t>(put, 0)));
  }
  return true;
}

// A file beside another, gone again unless it has taken the other's place.
class Draft {
 public:
  explicit Draft(const std::string& beside)
      : path_(beside + ".XXXXXX"), file_(mkostemp(path_.data(), O_CLOEXEC)), error_(errno) {}
  ~Draft() {
    if (file_.get() >= 0 && !placed_) unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // With the owner and mode of `like`. On disk when it returns.
  Status Write(std::string_view content, const struct stat& like) {
    const int fd = file_.get();
    if (fd < 0) return CannotWrite(error_);
    if (fchown(fd, like.st_uid, like.st_gid) != 0 || fchmod(fd, like.st_mode & 07777) != 0 ||
        !WriteAll(fd, content) || fsync(fd) != 0) {
      return CannotWrite(errno);
    }
    return absl::OkStatus();
  }

  Status TakePlaceOf(const std::string& target) {
    if (rename(path_.c_str(), target.c_str()) != 0) return CannotWrite(errno);
    placed_ = true;
    // Should this fail, a crash may still bring the old content back, as a whole.
    const std::string folder = std::filesystem::path(target).parent_path();
    const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() >= 0) fsync(directory.get());
    return absl::OkStatus();
  }

 private:
  std::string path_;
  const Descriptor file_;
  const int error_;
  bool placed_ = false;
};

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

Status ReplaceFile(const std::string& path, std::string_view content) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  if (error) return CannotWrite(error.value());
  struct stat info{};
  if (stat(target.c_str(), &info) != 0) return CannotWrite(errno);
  Draft draft(target.string());
  Status written = draft.Write(content, info);
  if (written.ok()) written = draft.TakePlaceOf(target.string());
  return written;
}

Status CheckReadable(const std::string& path) {
  const Descriptor file(OpenForReading(path));
  return CheckRegular(file.get());
}

}  // namespace pgweir::config
