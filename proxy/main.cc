#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "proxy/background.h"
#include "proxy/command_line.h"
#include "proxy/route_command.h"
#include "proxy/supervisor.h"
#include "report/command.h"

namespace pgweir::proxy {
namespace {

constexpr std::string_view kUsage = R"(pgweir: PostgreSQL access middleware and connection pooler

  pgweir run    --config FILE    serve in the foreground
  pgweir check  --config FILE    read the configuration; exit 0, or 1 with FILE:LINE:COLUMN: message
  pgweir route  --config FILE --database NAME [--user USER] [--] SQL
                                 say where these statements would go, and why; runs nothing, but
                                 asks the database's server for its catalog, as USER
  pgweir report FILE... [--html OUT.html]
                                 say where the time of slow statements went, by slow-query logs;
                                 pgweir report --help tells more
  pgweir --version | --help

FILE is a pgweir.toml or a pgbouncer.ini. As PgBouncer is started:

  pgweir [OPTION]... FILE
    -d, --daemon         go to the background; needs a pidfile, and a logfile or syslog
    -q, --quiet          no log on stderr
    -v, --verbose        log more; twice, more still
    -u, --user=USER      become this user when started as root

Signals: HUP reloads; USR1 pauses, USR2 resumes; TERM stops when all clients have left, INT when all
transactions have ended, a second one at once; QUIT stops at once.
)";

std::string_view LevelName(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kTrace:
      return "trace";
    case config::LogLevel::kDebug:
      return "debug";
    case config::LogLevel::kInfo:
      return "info";
    case config::LogLevel::kWarning:
      return "warning";
    case config::LogLevel::kError:
      return "error";
  }
  return "info";
}

int Fail(std::string_view message) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
  return 1;
}

int Check(const std::string& path) {
  const auto snapshot = Snapshot::Load(path);
  if (!snapshot.ok()) return Fail(MessageOf(snapshot.status()));
  for (const std::string& warning : (*snapshot)->config().warnings) {
    std::fprintf(stderr, "%s\n", warning.c_str());
  }
  std::printf("%s: ok\n", path.c_str());
  return 0;
}

int Route(const CommandLine& command) {
  const auto snapshot = Snapshot::Load(command.config);
  if (!snapshot.ok()) return Fail(MessageOf(snapshot.status()));
  if ((*snapshot)->config().FindDatabase(command.database) == nullptr) {
    Fail(fmt::format("pgweir: {} has no database \"{}\"", command.config, command.database));
    return kBadUsage;
  }
  const std::string text = AnswerRoute(**snapshot, command);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

config::LogLevel LevelFor(const config::Log& log, int verbose) {
  if (verbose == 0) return log.level;
  return std::min(log.level, verbose == 1 ? config::LogLevel::kDebug : config::LogLevel::kTrace);
}

// Paths in the configuration belong to the user that serves, as they do at a later reload.
Status EnterService(const CommandLine& command, const config::Config& config,
                    Background& background, PidFile& pid_file) {
  const config::Log& log = config.log;
  const bool logs_without_stderr = !log.file.empty() || log.syslog;
  Status step = BecomeUser(command.user.empty() ? config.process.user : command.user);
  if (!step.ok()) return step;
  if (command.daemon && config.process.pid_file.empty()) {
    return Error(sqlstate::kConfigFileError, "-d needs a pidfile in the configuration");
  }
  if (command.daemon && !logs_without_stderr) {
    return Error(sqlstate::kConfigFileError, "-d needs a logfile or syslog in the configuration");
  }
  if (command.daemon) step = background.Enter();
  if (step.ok()) step = pid_file.Write(config.process.pid_file, config.listen.so_reuseport);
  if (!step.ok()) return step;
  return InitLog(LevelName(LevelFor(log, command.verbose)),
                 {.to_stderr = !command.daemon && !command.quiet,
                  .file = log.file,
                  .syslog = log.syslog,
                  .syslog_ident = log.syslog_ident,
                  .syslog_facility = log.syslog_facility});
}

int Serve(const CommandLine& command) {
  auto snapshot = Snapshot::Load(command.config);
  if (!snapshot.ok()) return Fail(MessageOf(snapshot.status()));
  Background background;
  PidFile pid_file;
  const Status entered = EnterService(command, (*snapshot)->config(), background, pid_file);
  if (!entered.ok()) return Fail("pgweir: " + MessageOf(entered));
  Status outcome;
  {
    Supervisor supervisor(command.config, *std::move(snapshot));
    outcome = supervisor.Run([&background] { background.Ready(); });
    if (!supervisor.CanBeTakenDown()) {
      LogWarn("stopped while a server owes an answer");
      pid_file.Remove();
      // Others may still log, so that the log can't be taken down: its thread gets the time to
      // write.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      std::_Exit(outcome.ok() ? 0 : 1);
    }
  }
  if (!outcome.ok()) LogError("{}", MessageOf(outcome));
  FlushLog();
  return outcome.ok() ? 0 : Fail("pgweir: " + MessageOf(outcome));
}

int Main(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) return Fail(kUsage);
  const auto command = ParseCommandLine(arguments);
  if (!command.ok()) {
    const int failed = Fail("pgweir: " + MessageOf(command.status()));
    return arguments[0] == "route" ? kBadUsage : failed;
  }
  switch (command->command) {
    case CommandLine::Command::kHelp:
      std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
      return 0;
    case CommandLine::Command::kVersion:
      std::puts("pgweir " PGWEIR_VERSION);
      return 0;
    case CommandLine::Command::kCheck:
      return Check(command->config);
    case CommandLine::Command::kRoute:
      return Route(*command);
    case CommandLine::Command::kReport:
      return report::RunReport(command->report_arguments);
    case CommandLine::Command::kRun:
      break;
  }
  return Serve(*command);
}

}  // namespace
}  // namespace pgweir::proxy

int main(int argc, char** argv) {
  return pgweir::proxy::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
