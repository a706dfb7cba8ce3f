#include "report/options.h"

#include <charconv>

#include "report/timestamp.h"

namespace pgweir::report {
namespace {

constexpr int kMaxTop = 1000;

Status Wrong(std::string_view what) {
  return Errorf(sqlstate::kConfigFileError, "{}; see pgweir report --help", what);
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string_view>& arguments) : arguments_(arguments) {}

  StatusOr<Options> Parse();

 private:
  Status ReadOption(std::string_view option);
  Status Set(std::string_view name, std::string_view value);
  Status SetOrder(std::string_view value);
  Status SetTop(std::string_view value);
  static Status SetTime(std::string_view name, std::string_view value, int64_t& time);

  const std::vector<std::string_view>& arguments_;
  size_t next_ = 0;
  Options result_;
};

Status Parser::SetOrder(std::string_view value) {
  if (value == "total") {
    result_.order = Order::kTotal;
  } else if (value == "p95") {
    result_.order = Order::kP95;
  } else if (value == "calls") {
    result_.order = Order::kCalls;
  } else {
    return Wrong(fmt::format("--sort takes total, p95 or calls, not \"{}\"", value));
  }
  return absl::OkStatus();
}

Status Parser::SetTop(std::string_view value) {
  const char* const end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, result_.top);
  if (error == std::errc() && rest == end && result_.top >= 1 && result_.top <= kMaxTop) {
    return absl::OkStatus();
  }
  return Wrong(fmt::format("--top takes a number from 1 to {}, not \"{}\"", kMaxTop, value));
}

Status Parser::SetTime(std::string_view name, std::string_view value, int64_t& time) {
  const auto parsed = ParseTimestamp(value);
  if (!parsed) {
    return Wrong(
        fmt::format("{} takes a time such as \"2026-11-21 10:00\", not \"{}\"", name, value));
  }
  time = *parsed;
  return absl::OkStatus();
}

Status Parser::Set(std::string_view name, std::string_view value) {
  if (name == "--sort") return SetOrder(value);
  if (name == "--top") return SetTop(value);
  if (name == "--from") return SetTime(name, value, result_.filter.from);
  if (name == "--to") return SetTime(name, value, result_.filter.until);
  std::string* const text = name == "--html"       ? &result_.html
                            : name == "--database" ? &result_.filter.database
                            : name == "--user"     ? &result_.filter.user
                            : name == "--shard"    ? &result_.filter.shard
                                                   : nullptr;
  if (text == nullptr) return Wrong(fmt::format("unknown option \"{}\"", name));
  if (value.empty()) return Wrong(fmt::format("{} takes a value", name));
  *text = value;
  return absl::OkStatus();
}

Status Parser::ReadOption(std::string_view option) {
  if (option == "-h" || option == "--help") {
    result_.help = true;
    return absl::OkStatus();
  }
  const size_t sign = option.find('=');
  if (sign != std::string_view::npos) return Set(option.substr(0, sign), option.substr(sign + 1));
  if (next_ == arguments_.size()) return Set(option, "");
  return Set(option, arguments_[next_++]);
}

StatusOr<Options> Parser::Parse() {
  bool options = true;  // may still come
  while (next_ < arguments_.size()) {
    const std::string_view argument = arguments_[next_++];
    if (options && argument == "--") {
      options = false;
    } else if (options && argument.size() > 1 && argument[0] == '-') {
      const Status read = ReadOption(argument);
      if (!read.ok()) return read;
      if (result_.help) return result_;
    } else {
      result_.files.emplace_back(argument);
    }
  }
  if (result_.files.empty()) return Wrong("which logs? FILE is missing");
  return result_;
}

}  // namespace

StatusOr<Options> ParseOptions(const std::vector<std::string_view>& arguments) {
  return Parser(arguments).Parse();
}

}  // namespace pgweir::report
