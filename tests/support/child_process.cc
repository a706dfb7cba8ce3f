#include "tests/support/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "tests/support/temp_folder.h"

extern char** environ;

namespace pgweir::test {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    // What the caller's shell says of PostgreSQL must not decide where tests connect to.
    if (std::string_view(*entry).substr(0, 2) != "PG") result.emplace_back(*entry);
  }
  result.insert(result.end(), added.begin(), added.end());
  return result;
}

// Between fork and exec: calls that are safe there only, as other threads may hold locks.
[[noreturn]] void BecomeChild(char* const* argv, char* const* env, int in, int out,
                              const passwd* user, int death_signal, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  if (user != nullptr) {
    if (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
      _exit(126);
    }
  }
  // After the change of user, which clears it.
  prctl(PR_SET_PDEATHSIG, death_signal);
  if (getppid() != parent) _exit(126);
  execvpe(argv[0], argv, env);
  _exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options, int death_signal) {
  std::vector<std::string> env_texts = Environment(options.env);
  std::vector<char*> env = Pointers(env_texts);
  std::vector<char*> argv = Pointers(options.argv);
  const passwd* user = options.as_postgres && ::getuid() == 0 ? ::getpwnam("postgres") : nullptr;
  const char* in_path = options.input.empty() ? "/dev/null" : options.input.c_str();
  const char* out_path = options.output.empty() ? "/dev/null" : options.output.c_str();
  int in = ::open(in_path, O_RDONLY | O_CLOEXEC);
  int out = ::open(out_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (in < 0 || out < 0) throw std::runtime_error("can't open the files of " + options.argv[0]);
  pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) BecomeChild(argv.data(), env.data(), in, out, user, death_signal, parent);
  ::close(in);
  ::close(out);
  if (pid_ < 0) throw std::runtime_error("fork for " + options.argv[0]);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  Kill();
  pid_ = other.pid_;
  status_ = other.status_;
  other.pid_ = -1;
  return *this;
}

bool ChildProcess::Running() { return pid_ > 0 && !WaitExit(std::chrono::milliseconds(0)); }

void ChildProcess::Signal(int sig) {
  if (pid_ > 0) ::kill(pid_, sig);
}

std::optional<int> ChildProcess::WaitExit(std::chrono::milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (pid_ > 0) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status_;
}

void ChildProcess::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  status_ = 128 + SIGKILL;
}

CommandResult RunCommand(ChildOptions options, std::chrono::milliseconds timeout) {
  TempFolder folder("command");
  options.output = folder.File("output");
  WriteFile(options.output, "");
  CommandResult result;
  ChildProcess child(options);
  result.status = child.WaitExit(timeout).value_or(-1);
  child.Kill();
  result.output = ReadFile(options.output);
  return result;
}

}  // namespace pgweir::test
