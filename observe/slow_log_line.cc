#include "observe/slow_log_line.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>

#include "fmt/format.h"
#include "observe/json_text.h"
#include "observe/parameter_text.h"
#include "observe/secrets.h"

namespace pgweir::observe {
namespace {

using config::Redact;

// A buffer that one long statement made larger is given back.
constexpr size_t kKeptBuffer = size_t{256} << 10;
constexpr std::string_view kHidden = "(hidden)";

template <typename... Args>
void Append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// What pgBadger takes for the name of a statement ends at a colon.
void AppendName(std::string_view name, std::string& out) {
  const size_t begin = out.size();
  AppendJson(name, out);
  std::replace(out.begin() + static_cast<ptrdiff_t>(begin), out.end(), ':', '_');
  // With the colon behind it, it would look like another program's line.
  if (out.ends_with("INFO")) out += '_';
}

int64_t SecondsOf(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

std::string_view SlowLogLine::Write(const StatementRecord& record, const LineOptions& options) {
  record_ = &record;
  options_ = &options;
  secret_ = MayHoldSecret(record.text);
  Begin();
  AddClient();
  AddSeverity();
  AddMessage();
  AddPlace();
  line_ += "}\n";
  record_ = nullptr;
  options_ = nullptr;
  return line_;
}

// pgBadger passes over it: it has no time.
std::string_view SlowLogLine::WritePlan(const PlanRecord& plan) {
  Begin();
  Time("timestamp", plan.asked, true);
  Text("user", plan.user);
  Text("dbname", plan.database);
  Number("pid", plan.pid);
  Text("error_severity", "LOG");
  Key("message");
  Append(line_, "\"plan of digest {:016x}\"", plan.digest);
  Text("backend_type", "client backend");
  Append(line_, ",\"pgweir\":{{\"v\":1,\"digest\":\"{:016x}\"", plan.digest);
  AddNodes({&plan.node, 1});
  Key("plan");
  AppendJsonValue(plan.json, line_);
  line_ += "}}\n";
  return line_;
}

void SlowLogLine::Begin() {
  if (line_.capacity() > kKeptBuffer) std::string().swap(line_);
  line_ = '{';
}

void SlowLogLine::AddClient() {
  const ClientFacts& client = *record_->client;
  Time("timestamp", record_->finished, true);
  Text("user", client.user);
  Text("dbname", client.database);
  Number("pid", client.pid);
  if (!client.address.empty()) Text("remote_host", client.address);
  if (client.port != 0) Number("remote_port", client.port);
  // As log_line_prefix's %c.
  Key("session_id");
  Append(line_, "\"{:x}.{:x}\"", SecondsOf(client.connected), client.pid);
  Number("line_num", record_->number);
  if (!record_->tag.empty()) Text("ps", record_->tag.substr(0, record_->tag.find(' ')));
  Time("session_start", client.connected, false);
}

void SlowLogLine::AddSeverity() {
  Text("error_severity", record_->failed() ? "ERROR" : "LOG");
  if (record_->failed()) Text("state_code", record_->sqlstate);
}

// "duration: 1.234 ms  rows: 5  size: 300 bytes  execute s1: SELECT …", in whose middle pgBadger
// takes rows and bytes; of an error, the error and the statement behind it.
void SlowLogLine::AddMessage() {
  if (record_->failed()) {
    const bool hides = secret_ || options_->redact != Redact::kNone;
    const bool quotes = hides && MayQuoteValues(record_->sqlstate);
    Text("message", quotes ? kHidden : record_->error);
    AddParameters();
    Key("statement");
    line_ += '"';
    AddStatement();
    line_ += '"';
    return;
  }
  Key("message");
  const uint64_t micros = record_->times.total_us;
  Append(line_, "\"duration: {}.{:03} ms  rows: {}  size: {} bytes  ", micros / 1000, micros % 1000,
         record_->rows, record_->bytes);
  if (record_->extended) {
    line_ += "execute ";
    AppendName(record_->prepared_name.empty() ? "<unnamed>" : record_->prepared_name, line_);
    if (!record_->portal_name.empty()) {
      line_ += '/';
      AppendName(record_->portal_name, line_);
    }
    line_ += ": ";
  } else {
    line_ += "statement: ";
  }
  AddStatement();
  line_ += '"';
  AddParameters();
}

// "parameters: $1 = 'it''s', $2 = NULL"
void SlowLogLine::AddParameters() {
  if (record_->parameters.empty()) return;
  const size_t max = options_->parameter_max_length;
  Key("detail");
  line_ += "\"parameters: ";
  size_t number = 0;
  for (const StatementParameter& parameter : record_->parameters) {
    Append(line_, "{}${} = ", number == 0 ? "" : ", ", number + 1);
    ++number;
    if (parameter.null) {
      line_ += "NULL";
    } else if (HidesParameters()) {
      line_ += kHidden;
    } else {
      const std::string_view text = ParameterText(parameter, max, scratch_);
      std::string_view shown = CutUtf8(text, max);
      const bool cut = shown.size() < text.size();
      line_ += '\'';
      for (size_t quote; (quote = shown.find('\'')) != shown.npos;) {
        AppendJson(shown.substr(0, quote), line_);
        line_ += "''";
        shown.remove_prefix(quote + 1);
      }
      AppendJson(shown, line_);
      line_ += cut ? "...'" : "'";
    }
  }
  line_ += '"';
}

void SlowLogLine::AddPlace() {
  Text("application_name", record_->client->application_name);
  Text("backend_type", "client backend");
  line_ += ",\"pgweir\":{\"v\":1";
  Key("digest");
  Append(line_, "\"{:016x}\"", record_->digest);
  AddNodes(record_->nodes);
  if (record_->role != NodeRole::kNone) {
    Text("role", record_->role == NodeRole::kPrimary ? "primary" : "replica");
  }
  line_ += record_->from_cache() ? ",\"cached\":true" : ",\"cached\":false";
  Text("cache", NameOf(record_->cache));
  AddTimes();
  Number("rows", record_->rows);
  Number("bytes", record_->bytes);
  Number("retries", record_->retries);
  if (record_->backend_pid != 0) Number("server_pid", record_->backend_pid);
  if (!record_->traceparent.empty()) Text("traceparent", record_->traceparent);
  line_ += '}';
}

void SlowLogLine::AddNodes(std::span<const std::string_view> nodes) {
  Key("shards");
  line_ += '[';
  for (size_t i = 0; i < nodes.size(); ++i) {
    line_ += i == 0 ? "\"" : ",\"";
    AppendJson(nodes[i], line_);
    line_ += '"';
  }
  line_ += ']';
}

void SlowLogLine::AddTimes() {
  const TimeSplit& times = record_->times;
  Number("route_us", times.route_us);
  Number("wait_us", times.wait_us);
  Number("connect_us", times.connect_us);
  Number("sync_us", times.sync_us);
  Number("ahead_us", times.ahead_us);
  Number("backend_us", times.backend_us);
  Number("transfer_us", times.transfer_us);
  Number("blocked_us", times.blocked_us);
  Number("total_us", times.total_us);
}

void SlowLogLine::AddStatement() {
  const bool whole = options_->redact != Redact::kLiterals && !secret_;
  const std::string_view text = whole ? record_->text : record_->digest_text;
  if (text.empty() && !whole) {
    line_ += kHidden;
    return;
  }
  const std::string_view shown = CutUtf8(text, options_->statement_max_length);
  AppendJson(shown, line_);
  if (shown.size() < text.size()) line_ += "...";
}

bool SlowLogLine::HidesParameters() const { return options_->redact != Redact::kNone || secret_; }

void SlowLogLine::Key(std::string_view key) {
  if (line_.size() > 1) line_ += ',';
  line_ += '"';
  line_ += key;
  line_ += "\":";
}

void SlowLogLine::Text(std::string_view key, std::string_view value) {
  Key(key);
  line_ += '"';
  AppendJson(value, line_);
  line_ += '"';
}

void SlowLogLine::Number(std::string_view key, uint64_t value) {
  Key(key);
  Append(line_, "{}", value);
}

// "2026-09-01 10:00:00.123 UTC"
void SlowLogLine::Time(std::string_view key, WallTime time, bool with_millis) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const int64_t millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(time - midnight).count();
  const int64_t seconds = millis / 1000;
  Key(key);
  Append(line_, "\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}", int{day.year()}, unsigned{day.month()},
         unsigned{day.day()}, seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (with_millis) Append(line_, ".{:03}", millis % 1000);
  line_ += " UTC\"";
}

}  // namespace pgweir::observe
