#include "observe/statement_spans.h"

#include <chrono>
#include <iterator>

#include "fmt/format.h"
#include "observe/json_text.h"
#include "observe/secrets.h"

namespace pgweir::observe {
namespace {

// A buffer that one long statement made larger is given back.
constexpr size_t kKeptBuffer = size_t{64} << 10;

// opentelemetry/proto/trace/v1/trace.proto, Span.SpanKind and Status.StatusCode.
constexpr int kInternal = 1;
constexpr int kServer = 2;
constexpr int kClient = 3;
constexpr int kError = 2;

template <typename... Args>
void Append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

int64_t NanosOf(WallTime time) {
  using std::chrono::nanoseconds;
  return std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()).count();
}

// Ids must not come again in another worker or process, hence a long seed.
std::mt19937_64 SeededRandom() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

void AppendCut(std::string_view text, size_t max, std::string& out) {
  const std::string_view shown = CutUtf8(text, max);
  AppendJson(shown, out);
  if (shown.size() < text.size()) out += "...";
}

std::string_view CommandOf(const StatementRecord& record) {
  return record.tag.substr(0, record.tag.find(' '));
}

}  // namespace

bool IsSampled(std::string_view traceparent) {
  if (traceparent.empty()) return false;
  const char last = traceparent.back();
  return (last <= '9' ? last - '0' : last - 'a' + 10) % 2 == 1;
}

StatementSpans::StatementSpans() : random_(SeededRandom()) {}

std::string_view StatementSpans::Write(const StatementRecord& record) {
  if (lines_.capacity() > kKeptBuffer) std::string().swap(lines_);
  lines_.clear();
  database_ = record.client->database;
  const TimeSplit& times = record.times;
  began_ = record.finished - std::chrono::microseconds(times.total_us);
  WriteStatement(record);
  const uint64_t asked = times.route_us + times.wait_us + times.sync_us + times.ahead_us;
  const uint64_t answered = asked + times.backend_us;
  if (record.from_cache()) {
    WritePart("cache", 0, answered);
  } else {
    if (times.wait_us > 0) WritePart("queue", times.route_us, times.wait_us);
    if (times.backend_us > 0) WritePart("server", asked, times.backend_us, true);
  }
  if (times.transfer_us > 0) WritePart("transfer", answered, times.transfer_us);
  return lines_;
}

void StatementSpans::WriteStatement(const StatementRecord& record) {
  std::string_view parent;
  trace_.clear();
  if (record.traceparent.empty()) {
    Append(trace_, "{:016x}{:016x}", random_(), random_() | 1);
  } else {
    trace_ = record.traceparent.substr(3, 32);
    parent = record.traceparent.substr(36, 16);
  }
  const uint64_t id = random_() | 1;
  span_.clear();
  Append(span_, "{:016x}", id);
  const bool secret = MayHoldSecret(record.text);
  const std::string_view text = secret ? std::string_view() : record.digest_text;

  Begin(id, parent, kServer);
  if (!text.empty()) {
    AppendCut(text, kMaxName, lines_);
  } else {
    AppendJson(record.tag.empty() ? "statement" : CommandOf(record), lines_);
  }
  AddTimes(began_, record.finished);
  AddDatabase();
  AddText("user.name", record.client->user);
  if (!record.client->address.empty()) AddText("client.address", record.client->address);
  if (!record.tag.empty()) AddText("db.operation.name", CommandOf(record));
  if (!text.empty()) {
    Key("db.query.text");
    lines_ += "\"stringValue\":\"";
    AppendCut(text, kMaxText, lines_);
    lines_ += "\"}}";
  }
  if (record.failed()) {
    AddText("db.response.status_code", record.sqlstate);
    AddText("error.type", record.sqlstate);
  }
  Key("pgweir.digest");
  Append(lines_, "\"stringValue\":\"{:016x}\"}}}}", record.digest);
  AddText("pgweir.cache", NameOf(record.cache));
  AddShards(record);
  Key("pgweir.rows");
  Append(lines_, "\"intValue\":\"{}\"}}}}]", record.rows);
  if (record.failed()) Append(lines_, ",\"status\":{{\"code\":{}}}", kError);
  lines_ += "}\n";
}

void StatementSpans::WritePart(std::string_view name, uint64_t from_us, uint64_t micros,
                               bool server) {
  Begin(random_() | 1, span_, server ? kClient : kInternal);
  lines_ += name;
  const WallTime begin = began_ + std::chrono::microseconds(from_us);
  AddTimes(begin, begin + std::chrono::microseconds(micros));
  AddDatabase();
  lines_ += "]}\n";
}

// Up to the name's first quote.
void StatementSpans::Begin(uint64_t id, std::string_view parent, int kind) {
  Append(lines_, "{{\"traceId\":\"{}\",\"spanId\":\"{:016x}\"", trace_, id);
  if (!parent.empty()) Append(lines_, ",\"parentSpanId\":\"{}\"", parent);
  Append(lines_, ",\"kind\":{},\"name\":\"", kind);
}

void StatementSpans::AddTimes(WallTime begin, WallTime end) {
  Append(lines_, "\",\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\"", NanosOf(begin),
         NanosOf(end));
}

// The first of the attributes.
void StatementSpans::AddDatabase() {
  lines_ +=
      ",\"attributes\":[{\"key\":\"db.system.name\",\"value\":{\"stringValue\":\"postgresql\"}}";
  AddText("db.namespace", database_);
}

void StatementSpans::AddText(std::string_view key, std::string_view value) {
  Key(key);
  lines_ += "\"stringValue\":\"";
  AppendJson(value, lines_);
  lines_ += "\"}}";
}

void StatementSpans::AddShards(const StatementRecord& record) {
  if (record.nodes.empty()) return;
  Key("pgweir.shards");
  lines_ += "\"arrayValue\":{\"values\":[";
  for (size_t i = 0; i < record.nodes.size(); ++i) {
    lines_ += i == 0 ? "{\"stringValue\":\"" : ",{\"stringValue\":\"";
    AppendJson(record.nodes[i], lines_);
    lines_ += "\"}";
  }
  lines_ += "]}}}";
}

// Of an attribute, up to its value's type.
void StatementSpans::Key(std::string_view key) {
  Append(lines_, ",{{\"key\":\"{}\",\"value\":{{", key);
}

}  // namespace pgweir::observe
