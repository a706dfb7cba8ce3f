#include "report/log_line.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "report/duration_message.h"
#include "report/timestamp.h"

namespace pgweir::report {
namespace {

using simdjson::ondemand::json_type;
using Value = simdjson::ondemand::value;

static_assert(LogLineParser::kPadding >= simdjson::SIMDJSON_PADDING);

// Longer than any statement, so that sums over any log fit.
constexpr double kMaxMicroseconds = 1e12;

// What a statement is made of when the whole line is known; -1 for a number that is missing.
struct Raw {
  std::string_view timestamp, severity, message, detail, statement;
  double wait = -1, backend = -1, transfer = -1, blocked = -1, total = -1;
  bool pgweirs = false;
};

std::string_view Text(Value value) {
  std::string_view text;
  const auto type = value.type();
  if (type.error() || type.value_unsafe() != json_type::string) return "";
  return value.get_string().get(text) ? "" : text;
}

// A number, also one in quotes; -1 for anything else and for what is below 0.
double Number(Value value) {
  const auto type = value.type();
  if (type.error()) return -1;
  double number = -1;
  if (type.value_unsafe() == json_type::number) {
    if (value.get_double().get(number)) return -1;
  } else if (type.value_unsafe() == json_type::string) {
    const std::string_view text = Text(value);
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
      return -1;
  }
  return number >= 0 && std::isfinite(number) ? number : -1;
}

uint64_t Count(Value value) { return static_cast<uint64_t>(std::clamp(Number(value), 0.0, 1e15)); }

// true, or the word for an answer that came from the cache.
bool SaysCached(Value value) {
  const auto type = value.type();
  if (type.error()) return false;
  if (type.value_unsafe() == json_type::boolean) {
    bool cached = false;
    return !value.get_bool().get(cached) && cached;
  }
  const std::string_view word = Text(value);
  return word == "hit" || word == "stale" || word == "true";
}

// EXPLAIN's answer as JSON, or as text that is JSON.
std::string_view PlanText(Value value) {
  const auto type = value.type();
  if (type.error()) return "";
  std::string_view text;
  if (type.value_unsafe() == json_type::array) {
    simdjson::ondemand::array array;
    return value.get_array().get(array) || array.raw_json().get(text) ? "" : text;
  }
  if (type.value_unsafe() == json_type::object) {
    simdjson::ondemand::object object;
    return value.get_object().get(object) || object.raw_json().get(text) ? "" : text;
  }
  return Text(value);
}

uint64_t Microseconds(double value) {
  return value <= 0 ? 0 : static_cast<uint64_t>(std::min(value, kMaxMicroseconds) + 0.5);
}

TimeSplit SplitOf(const Raw& raw, double message_us) {
  TimeSplit time;
  time.queue = Microseconds(raw.wait);
  time.server = Microseconds(raw.backend);
  time.transfer = Microseconds(raw.transfer);
  time.client = std::min(Microseconds(raw.blocked), time.transfer);
  time.transfer -= time.client;
  time.total = Microseconds(raw.total >= 0 ? raw.total : message_us);
  time.total = std::max(time.total, time.Known());
  return time;
}

}  // namespace

class LogLineParser::Impl {
 public:
  LineKind Parse(std::string_view line);
  const Statement& statement() const { return statement_; }
  std::string_view fault() const { return fault_; }

 private:
  simdjson::error_code ReadLine(std::string_view line);
  simdjson::error_code ReadField(std::string_view key, Value value);
  simdjson::error_code ReadOwn(Value value);
  simdjson::error_code ReadOwnField(std::string_view key, Value value);
  simdjson::error_code ReadShards(Value value);
  void Complete();
  bool IsPlan() const;
  LineKind Broken(std::string fault);

  simdjson::ondemand::parser parser_;
  Raw raw_;
  Statement statement_;
  std::string fault_;
};

LineKind LogLineParser::Impl::Broken(std::string fault) {
  fault_ = std::move(fault);
  return LineKind::kBroken;
}

simdjson::error_code LogLineParser::Impl::ReadShards(Value value) {
  const auto type = value.type();
  if (type.error()) return type.error();
  if (type.value_unsafe() != json_type::array) {
    if (const std::string_view one = Text(value); !one.empty()) statement_.shards.push_back(one);
    return simdjson::SUCCESS;
  }
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return error;
  for (auto element : array) {
    Value shard;
    if (const auto error = element.get(shard)) return error;
    if (const std::string_view name = Text(shard); !name.empty()) statement_.shards.push_back(name);
  }
  return simdjson::SUCCESS;
}

simdjson::error_code LogLineParser::Impl::ReadOwnField(std::string_view key, Value value) {
  if (key == "digest") statement_.digest = Text(value);
  if (key == "shards" || key == "shard") return ReadShards(value);
  if (key == "role") statement_.role = Text(value);
  if (key == "cached") statement_.cached = SaysCached(value);
  if (key == "wait_us") raw_.wait = Number(value);
  if (key == "backend_us") raw_.backend = Number(value);
  if (key == "transfer_us") raw_.transfer = Number(value);
  if (key == "blocked_us") raw_.blocked = Number(value);
  if (key == "total_us") raw_.total = Number(value);
  if (key == "rows") statement_.rows = Count(value);
  if (key == "bytes") statement_.bytes = Count(value);
  if (key == "retries") statement_.retries = Count(value);
  if (key == "traceparent") statement_.traceparent = Text(value);
  if (key == "plan") statement_.plan = PlanText(value);
  return simdjson::SUCCESS;
}

simdjson::error_code LogLineParser::Impl::ReadOwn(Value value) {
  const auto type = value.type();
  if (type.error()) return type.error();
  if (type.value_unsafe() != json_type::object) return simdjson::SUCCESS;
  raw_.pgweirs = true;
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    if (const auto error = ReadOwnField(key, field.value())) return error;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code LogLineParser::Impl::ReadField(std::string_view key, Value value) {
  if (key == "timestamp") raw_.timestamp = Text(value);
  if (key == "user") statement_.user = Text(value);
  if (key == "dbname") statement_.database = Text(value);
  if (key == "remote_host") statement_.remote_host = Text(value);
  if (key == "error_severity") raw_.severity = Text(value);
  if (key == "state_code") statement_.sqlstate = Text(value);
  if (key == "message") raw_.message = Text(value);
  if (key == "detail") raw_.detail = Text(value);
  if (key == "statement") raw_.statement = Text(value);
  if (key == "application_name") statement_.application = Text(value);
  if (key == "pgweir") return ReadOwn(value);
  return simdjson::SUCCESS;
}

simdjson::error_code LogLineParser::Impl::ReadLine(std::string_view line) {
  simdjson::ondemand::document document;
  const auto error =
      parser_.iterate(line.data(), line.size(), line.size() + kPadding).get(document);
  if (error) return error;
  simdjson::ondemand::object object;
  if (const auto wrong = document.get_object().get(object)) return wrong;
  for (auto field : object) {
    std::string_view key;
    if (const auto wrong = field.unescaped_key().get(key)) return wrong;
    if (const auto wrong = ReadField(key, field.value())) return wrong;
  }
  // Two writers in one file may leave two halves on a line.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS
             ? simdjson::SUCCESS
             : simdjson::TRAILING_CONTENT;
}

void LogLineParser::Impl::Complete() {
  const auto duration = ParseDurationMessage(raw_.message);
  statement_.time = SplitOf(raw_, duration ? duration->milliseconds * 1000 : -1);
  statement_.sql = duration ? duration->sql : raw_.statement;
  if (statement_.sql.empty()) statement_.sql = raw_.statement;
  statement_.parameters = ParametersIn(raw_.detail);
  statement_.failed =
      raw_.severity == "ERROR" || raw_.severity == "FATAL" || raw_.severity == "PANIC";
  if (statement_.failed) statement_.error = raw_.message;
}

// Older logs have plans in the lines of statements.
bool LogLineParser::Impl::IsPlan() const {
  return !statement_.plan.empty() && raw_.message.starts_with("plan of digest ");
}

LineKind LogLineParser::Impl::Parse(std::string_view line) {
  raw_ = Raw();
  statement_ = Statement();
  if (const auto error = ReadLine(line)) {
    return Broken(std::string("is no JSON object: ") + simdjson::error_message(error));
  }
  if (!raw_.pgweirs) return LineKind::kOther;
  const auto at = ParseTimestamp(raw_.timestamp);
  if (!at) {
    return Broken(raw_.timestamp.empty() ? "has no timestamp"
                                         : "has a timestamp that is no time of 2000 to 2099");
  }
  statement_.at = *at;
  if (IsPlan()) return LineKind::kPlan;
  Complete();
  return LineKind::kStatement;
}

LogLineParser::LogLineParser() : impl_(std::make_unique<Impl>()) {}
LogLineParser::~LogLineParser() = default;

LineKind LogLineParser::Parse(std::string_view line) { return impl_->Parse(line); }
const Statement& LogLineParser::statement() const { return impl_->statement(); }
std::string_view LogLineParser::fault() const { return impl_->fault(); }

}  // namespace pgweir::report
