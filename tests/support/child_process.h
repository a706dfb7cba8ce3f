#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace pgweir::test {

struct ChildOptions {
  std::vector<std::string> argv = {};
  std::vector<std::string> env = {};  // "NAME=value", over the parent's
  std::string output = {};            // file for stdout and stderr, appended to; "" = dropped
  std::string input = {};             // file for stdin; "" = none
  bool as_postgres = false;           // run as user postgres when this process is root's
};

// A child that can't outlive the thread that started it: the kernel then sends `death_signal`.
class ChildProcess {
 public:
  ChildProcess() = default;
  explicit ChildProcess(const ChildOptions& options, int death_signal = SIGKILL);
  ~ChildProcess() { Kill(); }
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_), status_(other.status_) {
    other.pid_ = -1;
  }
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  pid_t pid() const { return pid_; }
  bool Running();
  void Signal(int sig);

  // The exit status, or 128 + the signal that ended it; none when it still runs at the deadline.
  std::optional<int> WaitExit(std::chrono::milliseconds timeout);

  // SIGKILL, and waits. Nothing happens when it has ended already.
  void Kill();

 private:
  pid_t pid_ = -1;  // -1 once reaped
  std::optional<int> status_;
};

struct CommandResult {
  int status = -1;     // as WaitExit; -1 when it had to be killed
  std::string output;  // stdout and stderr together
};

// Runs a command to its end, or kills it at the deadline. `options.output` is ignored.
CommandResult RunCommand(ChildOptions options,
                         std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace pgweir::test
