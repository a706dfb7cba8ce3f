#include "proxy/command_line.h"

namespace pgweir::proxy {
namespace {

using Command = CommandLine::Command;

Status Wrong(std::string_view what) {
  return Errorf(sqlstate::kConfigFileError, "{}; see pgweir --help", what);
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string_view>& arguments) : arguments_(arguments) {}

  StatusOr<CommandLine> Parse();

 private:
  void ReadCommand();
  Status ReadLong(std::string_view option);
  Status ReadShorts(std::string_view letters);
  Status ReadFlag(char letter);
  Status ReadFile(std::string_view path);
  Status ReadSql(std::string_view sql);
  Status CheckComplete() const;
  // What "--name=VALUE" has behind the sign, else the next argument.
  StatusOr<std::string> ValueOf(std::string_view option);

  const std::vector<std::string_view>& arguments_;
  size_t next_ = 0;
  CommandLine result_;
};

// A first word that is no option is a command, unless it looks like a path.
void Parser::ReadCommand() {
  if (arguments_.empty()) return;
  if (arguments_[0] == "check") {
    result_.command = Command::kCheck;
  } else if (arguments_[0] == "route") {
    result_.command = Command::kRoute;
  } else if (arguments_[0] == "report") {
    result_.command = Command::kReport;
  } else if (arguments_[0] != "run") {
    return;
  }
  ++next_;
}

StatusOr<std::string> Parser::ValueOf(std::string_view option) {
  if (const size_t sign = option.find('='); sign != std::string_view::npos) {
    return std::string(option.substr(sign + 1));
  }
  if (next_ == arguments_.size()) return Wrong(fmt::format("{} takes a value", option));
  return std::string(arguments_[next_++]);
}

Status Parser::ReadFile(std::string_view path) {
  const bool is_word = path.find_first_of("./") == std::string_view::npos;
  if (next_ == 1 && is_word) return Wrong(fmt::format("unknown command \"{}\"", path));
  if (!result_.config.empty()) return Wrong(fmt::format("unexpected argument \"{}\"", path));
  result_.config = path;
  return absl::OkStatus();
}

Status Parser::ReadSql(std::string_view sql) {
  if (!result_.sql.empty()) return Wrong("SQL must be one argument: put it in quotes");
  result_.sql = sql;
  return absl::OkStatus();
}

Status Parser::ReadFlag(char letter) {
  switch (letter) {
    case 'd':
      result_.daemon = true;
      return absl::OkStatus();
    case 'q':
      result_.quiet = true;
      return absl::OkStatus();
    case 'v':
      ++result_.verbose;
      return absl::OkStatus();
    case 'V':
      result_.command = Command::kVersion;
      return absl::OkStatus();
    case 'h':
      result_.command = Command::kHelp;
      return absl::OkStatus();
    case 'R':
      return Error(sqlstate::kConfigFileError,
                   "-R (online reboot) is not served: a process can't hand its clients to another. "
                   "Start the new process beside the old one with so_reuseport = 1, then end the "
                   "old one with SIGTERM; see docs/from-pgbouncer.md");
    default:
      return Wrong(fmt::format("unknown option -{}", letter));
  }
}

Status Parser::ReadShorts(std::string_view letters) {
  for (size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == 'u') {
      const std::string_view rest = letters.substr(i + 1);
      if (!rest.empty()) {
        result_.user = rest;
        return absl::OkStatus();
      }
      auto user = ValueOf("-u");
      if (user.ok()) result_.user = *user;
      return user.status();
    }
    const Status read = ReadFlag(letters[i]);
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

Status Parser::ReadLong(std::string_view option) {
  constexpr std::pair<std::string_view, char> kFlags[] = {{"--daemon", 'd'},  {"--quiet", 'q'},
                                                          {"--verbose", 'v'}, {"--version", 'V'},
                                                          {"--help", 'h'},    {"--reboot", 'R'}};
  for (const auto& [name, letter] : kFlags) {
    if (option == name) return ReadFlag(letter);
  }
  const std::string_view name = option.substr(0, option.find('='));
  if (name == "--user") {
    auto user = ValueOf(option);
    if (user.ok()) result_.user = *user;
    return user.status();
  }
  if (name == "--database" && result_.command == Command::kRoute) {
    auto database = ValueOf(option);
    if (database.ok()) result_.database = *database;
    return database.status();
  }
  if (name == "--config") {
    auto path = ValueOf(option);
    return path.ok() ? ReadFile(*path) : path.status();
  }
  return Wrong(fmt::format("unexpected argument \"{}\"", option));
}

Status Parser::CheckComplete() const {
  if (result_.command == Command::kHelp || result_.command == Command::kVersion) {
    return absl::OkStatus();
  }
  if (result_.config.empty()) return Wrong("--config FILE is missing");
  if (result_.command != Command::kRoute) return absl::OkStatus();
  if (result_.database.empty()) return Wrong("--database NAME is missing");
  return result_.sql.empty() ? Wrong("SQL is missing") : absl::OkStatus();
}

StatusOr<CommandLine> Parser::Parse() {
  ReadCommand();
  if (result_.command == Command::kReport) {
    result_.report_arguments.assign(arguments_.begin() + 1, arguments_.end());
    return result_;
  }
  const bool routes = result_.command == Command::kRoute;
  bool options = true;  // may still come
  while (next_ < arguments_.size()) {
    const std::string_view argument = arguments_[next_++];
    Status read;
    if (routes && options && argument == "--") {
      options = false;
    } else if (!options) {
      read = ReadSql(argument);
    } else if (argument.substr(0, 2) == "--") {
      read = ReadLong(argument);
    } else if (argument.size() > 1 && argument[0] == '-') {
      read = ReadShorts(argument.substr(1));
    } else if (routes) {
      read = ReadSql(argument);
    } else {
      read = ReadFile(argument);
    }
    if (!read.ok()) return read;
  }
  const Status complete = CheckComplete();
  if (!complete.ok()) return complete;
  return result_;
}

}  // namespace

StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string_view>& arguments) {
  return Parser(arguments).Parse();
}

}  // namespace pgweir::proxy
