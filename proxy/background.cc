#include "proxy/background.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "config/file.h"

namespace pgweir::proxy {
namespace {

Status Failed(std::string_view what) {
  const int error = errno;
  return Errorf(sqlstate::kConfigFileError, "{}: {}", what, std::generic_category().message(error));
}

constexpr size_t kMaxPidFileBytes = 1 << 20;

// 0 when the file holds none.
pid_t PidIn(const std::string& content) {
  pid_t pid = 0;
  std::from_chars(content.data(), content.data() + content.size(), pid);
  return pid;
}

Status CheckLeftover(const std::string& path) {
  const auto content = config::ReadFile(path, kMaxPidFileBytes);
  if (!content.ok()) {
    return Errorf(sqlstate::kConfigFileError, "pidfile {} {}", path, MessageOf(content.status()));
  }
  const pid_t pid = PidIn(*content);
  // In a container every process may have been number 1.
  const bool is_gone = pid == getpid() || (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH);
  if (is_gone) return absl::OkStatus();
  return Errorf(sqlstate::kConfigFileError, "pidfile {} exists: is process {} another instance?",
                path, pid);
}

}  // namespace

Status BecomeUser(const std::string& user) {
  if (user.empty()) return absl::OkStatus();
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    return Errorf(sqlstate::kConfigFileError, "there is no user \"{}\" to become", user);
  }
  const uid_t uid = entry->pw_uid;
  const gid_t gid = entry->pw_gid;
  if (geteuid() == uid) return absl::OkStatus();
  if (geteuid() != 0) {
    return Errorf(sqlstate::kConfigFileError, "only root can become user \"{}\"", user);
  }
  if (initgroups(user.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return Failed(fmt::format("cannot become user \"{}\"", user));
  }
  return absl::OkStatus();
}

Background::~Background() {
  if (pipe_ >= 0) close(pipe_);
}

Status Background::Enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed("cannot go to the background");
  const pid_t child = fork();
  if (child < 0) return Failed("cannot go to the background");
  if (child > 0) {
    close(ends[1]);
    char byte = 0;
    ssize_t got;
    do {
      got = read(ends[0], &byte, 1);
    } while (got < 0 && errno == EINTR);
    _exit(got == 1 ? 0 : 1);
  }
  close(ends[0]);
  pipe_ = ends[1];
  // A second fork, so that no terminal can become this process's.
  if (setsid() < 0) return Failed("cannot go to the background");
  const pid_t grandchild = fork();
  if (grandchild < 0) return Failed("cannot go to the background");
  if (grandchild > 0) _exit(0);
  return absl::OkStatus();
}

void Background::Ready() {
  if (pipe_ < 0) return;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
  [[maybe_unused]] const ssize_t told = write(pipe_, "", 1);
  close(std::exchange(pipe_, -1));
}

void PidFile::Remove() {
  if (path_.empty()) return;
  const auto content = config::ReadFile(path_, kMaxPidFileBytes);
  if (content.ok() && PidIn(*content) == getpid()) unlink(path_.c_str());
  path_.clear();
}

Status PidFile::Write(const std::string& path, bool takes_over) {
  if (path.empty()) return absl::OkStatus();
  if (access(path.c_str(), F_OK) == 0) {
    const Status leftover = takes_over ? absl::OkStatus() : CheckLeftover(path);
    if (!leftover.ok()) return leftover;
    unlink(path.c_str());
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("cannot write pidfile " + path);
  path_ = path;
  const std::string content = fmt::format("{}\n", getpid());
  const auto length = static_cast<ssize_t>(content.size());
  const bool written = write(fd, content.data(), content.size()) == length;
  close(fd);
  return written ? absl::OkStatus() : Failed("cannot write pidfile " + path);
}

}  // namespace pgweir::proxy
