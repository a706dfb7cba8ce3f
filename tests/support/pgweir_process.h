#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace pgweir::test {

// What goes into pgweir.toml, table by table, as lines of TOML. The port is added. "@" in any of
// them stands for the process's own folder.
struct PgweirOptions {
  std::string listen = "workers = 2";
  std::string auth = "method = \"trust\"\nusers_file = \"users.txt\"";
  std::string pool = {};
  std::string databases = {};  // [databases.…] and [users.…] tables, see DatabaseToml
  std::string log = "level = \"debug\"";
  std::string users = "\"postgres\" \"postgres-secret\"\n";     // users.txt
  std::vector<std::pair<std::string, std::string>> files = {};  // others, by name
  std::vector<std::string> env = {};
  bool wait_ready = true;
  int port = 0;  // 0 = a free one
};

// A [databases."NAME"] table for a server on this loopback port.
std::string DatabaseToml(std::string_view name, int port, std::string_view more_conninfo = "",
                         std::string_view more_toml = "");

// The binary under test: $PGWEIR_BINARY, else the one of this build.
std::string PgweirBinary();

// `pgweir run` on a loopback port, with its configuration and log in a folder of its own.
class PgweirProcess {
 public:
  explicit PgweirProcess(const PgweirOptions& options);
  ~PgweirProcess();

  int port() const { return port_; }
  pid_t pid() const { return process_.pid(); }
  const std::string& folder() const { return folder_.path(); }
  std::string config_file() const { return folder_.File("pgweir.toml"); }
  std::string log() const { return ReadFile(folder_.File("log")); }
  // The end of the log from this offset on, to stderr.
  void ShowLog(size_t from = 0) const;
  std::string Conninfo(std::string_view user = "postgres",
                       std::string_view database = "postgres") const;

  // Writes pgweir.toml and users.txt anew, without telling the process.
  void Rewrite(const PgweirOptions& options);
  // SIGHUP, and waits until the log has a new line that contains `until`.
  bool Reload(std::string_view until = "reload");
  void Signal(int sig) { process_.Signal(sig); }
  bool WaitLog(std::string_view text, std::chrono::milliseconds timeout = std::chrono::seconds(5),
               size_t from = 0) const;
  // The exit status, none when it still runs at the deadline.
  std::optional<int> WaitExit(std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return process_.WaitExit(timeout);
  }
  bool Running() { return process_.Running(); }
  // SIGQUIT; a test failure unless it ends at once, with status 0.
  void Stop();

  int64_t PeakResidentBytes() const;  // VmHWM
  int64_t ProportionalBytes() const;  // PSS
  int64_t AnonymousBytes() const;     // RssAnon: of no file
  void ResetPeakResident() const;     // so that VmHWM starts from what is resident now
  double CpuSeconds() const;
  int OpenFiles() const;

 private:
  TempFolder folder_;
  int port_;
  ChildProcess process_;
};

}  // namespace pgweir::test
