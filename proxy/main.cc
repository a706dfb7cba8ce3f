#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "proxy/supervisor.h"

namespace pgweir::proxy {
namespace {

constexpr std::string_view kUsage = R"(pgweir: PostgreSQL access middleware and connection pooler

  pgweir run    --config FILE    serve in the foreground
  pgweir check  --config FILE    read the configuration; exit 0, or 1 with FILE:LINE:COLUMN: message
  pgweir --version | --help

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
  std::printf("%s: ok\n", path.c_str());
  return 0;
}

int Serve(const std::string& path) {
  auto snapshot = Snapshot::Load(path);
  if (!snapshot.ok()) return Fail(MessageOf(snapshot.status()));
  const Status log = InitLog(LevelName((*snapshot)->config().log.level));
  if (!log.ok()) return Fail(MessageOf(log));
  Status outcome;
  {
    Supervisor supervisor(path, *std::move(snapshot));
    outcome = supervisor.Run();
    if (!supervisor.CanBeTakenDown()) {
      LogWarn("stopped while a server owes an answer");
      FlushLog();
      std::_Exit(outcome.ok() ? 0 : 1);
    }
  }
  FlushLog();
  return outcome.ok() ? 0 : Fail("pgweir: " + MessageOf(outcome));
}

int Main(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) return Fail(kUsage);
  const std::string_view command = arguments[0];
  if (command == "--help" || command == "-h") {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
    return 0;
  }
  if (command == "--version" || command == "-V") {
    std::puts("pgweir " PGWEIR_VERSION);
    return 0;
  }
  if (command != "run" && command != "check") {
    return Fail("pgweir: unknown command \"" + std::string(command) + "\"; see pgweir --help");
  }
  std::string path;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--config" && i + 1 < arguments.size()) {
      path = arguments[++i];
    } else if (arguments[i].substr(0, 9) == "--config=") {
      path = arguments[i].substr(9);
    } else if (arguments[i] == "--help") {
      return Main({"--help"});
    } else {
      return Fail("pgweir: unexpected argument \"" + std::string(arguments[i]) +
                  "\"; see pgweir --help");
    }
  }
  if (path.empty()) return Fail("pgweir: --config FILE is missing; see pgweir --help");
  return command == "run" ? Serve(path) : Check(path);
}

}  // namespace
}  // namespace pgweir::proxy

int main(int argc, char** argv) {
  return pgweir::proxy::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
