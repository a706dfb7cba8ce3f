#include "tests/support/pgweir_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "fmt/format.h"

namespace pgweir::test {
namespace {

// A "Name:   123 kB" line of a /proc file.
int64_t ProcBytes(const std::string& file, std::string_view name) {
  std::istringstream in(ReadFile(file));
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind(name, 0) == 0) return std::atoll(line.c_str() + name.size()) * 1024;
  }
  return -1;
}

std::string ReplaceAll(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

std::string DatabaseToml(std::string_view name, int port, std::string_view more_conninfo,
                         std::string_view more_toml) {
  std::string database = name == "*" ? "" : fmt::format(" dbname={}", name);
  return fmt::format("[databases.\"{}\"]\nprimary = \"host=127.0.0.1 port={}{} {}\"\n{}\n", name,
                     port, database, more_conninfo, more_toml);
}

std::string PgweirBinary() {
  const char* given = std::getenv("PGWEIR_BINARY");
#ifdef PGWEIR_BINARY
  return given != nullptr ? given : PGWEIR_BINARY;
#else
  if (given == nullptr) throw std::runtime_error("PGWEIR_BINARY names the binary under test");
  return given;
#endif
}

PgweirProcess::PgweirProcess(const PgweirOptions& options)
    : folder_("process"), port_(options.port != 0 ? options.port : FreePort()) {
  Rewrite(options);
  process_ = ChildProcess({.argv = {PgweirBinary(), "run", "--config", config_file()},
                           .env = options.env,
                           .output = folder_.File("log")});
  if (!options.wait_ready) return;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  while (log().find("pgweir: ready") == std::string::npos) {
    if (!process_.Running() || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("pgweir isn't ready:\n" + log());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

PgweirProcess::~PgweirProcess() {
  if (process_.pid() > 0) {
    process_.Signal(SIGQUIT);
    if (!process_.WaitExit(std::chrono::seconds(5))) {
      ADD_FAILURE() << "pgweir ignores SIGQUIT";
      process_.Signal(SIGABRT);
      process_.WaitExit(std::chrono::seconds(5));
    }
  }
  if (testing::Test::HasFailure()) ShowLog();
}

void PgweirProcess::ShowLog(size_t from) const {
  constexpr size_t kShown = 12'000;
  std::string text = log();
  text.erase(0, std::max(from, text.size() - std::min(text.size(), kShown)));
  fmt::print(stderr, "--- log of pgweir ---\n{}\n--- end of log ---\n", text);
}

std::string PgweirProcess::Conninfo(std::string_view user, std::string_view database) const {
  return fmt::format("host=127.0.0.1 port={} user={} dbname={}", port_, user, database);
}

void PgweirProcess::Rewrite(const PgweirOptions& options) {
  std::string text = fmt::format(
      "[listen]\naddress = \"127.0.0.1\"\nport = "
      "{}\n{}\n\n[auth]\n{}\n\n[pool]\n{}\n\n[log]\n{}\n\n{}",
      port_, options.listen, options.auth, options.pool, options.log, options.databases);
  WriteFile(folder_.File("users.txt"), options.users);
  ::chmod(folder_.File("users.txt").c_str(), 0600);
  for (const auto& [name, contents] : options.files) WriteFile(folder_.File(name), contents);
  WriteFile(config_file(), ReplaceAll(text, "@", folder_.path()));
}

bool PgweirProcess::Reload(std::string_view until) {
  size_t from = log().size();
  process_.Signal(SIGHUP);
  return WaitLog(until, std::chrono::seconds(5), from);
}

bool PgweirProcess::WaitLog(std::string_view text, std::chrono::milliseconds timeout,
                            size_t from) const {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (log().find(text, from) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void PgweirProcess::Stop() {
  process_.Signal(SIGQUIT);
  std::optional<int> status = process_.WaitExit(std::chrono::seconds(5));
  EXPECT_TRUE(status.has_value()) << "pgweir ignores SIGQUIT";
  EXPECT_EQ(status.value_or(0), 0) << "exit status after SIGQUIT";
}

int64_t PgweirProcess::PeakResidentBytes() const {
  return ProcBytes(fmt::format("/proc/{}/status", pid()), "VmHWM:");
}

int64_t PgweirProcess::ProportionalBytes() const {
  return ProcBytes(fmt::format("/proc/{}/smaps_rollup", pid()), "Pss:");
}

int64_t PgweirProcess::AnonymousBytes() const {
  return ProcBytes(fmt::format("/proc/{}/status", pid()), "RssAnon:");
}

void PgweirProcess::ResetPeakResident() const {
  WriteFile(fmt::format("/proc/{}/clear_refs", pid()), "5");
}

double PgweirProcess::CpuSeconds() const {
  std::string text = ReadFile(fmt::format("/proc/{}/stat", pid()));
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

int PgweirProcess::OpenFiles() const {
  int count = 0;
  for ([[maybe_unused]] auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid()))) {
    ++count;
  }
  return count;
}

}  // namespace pgweir::test
