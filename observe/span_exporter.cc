#include "observe/span_exporter.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "observe/json_text.h"

namespace pgweir::observe {
namespace {

using std::chrono::milliseconds;

// How long a span waits for others.
constexpr std::chrono::seconds kGather{1};
// About as many spans as a request has.
constexpr size_t kBatchBytes = size_t{256} << 10;
// For an answer.
constexpr std::chrono::seconds kPatience{5};
// Before the second try; before each further one twice as long, up to the last.
constexpr milliseconds kFirstRest{250};
constexpr milliseconds kLastRest{1000};
// A collector that takes nothing is told of so often.
constexpr std::chrono::minutes kBetweenLogLines{1};
// Before the end, for the thread to notice.
constexpr milliseconds kToNotice{100};

LineQueue::Limits LimitsOf(const config::Traces& options) {
  return {options.max_queue_bytes, std::min(kBatchBytes, options.max_queue_bytes / 2), kGather};
}

uint64_t Count(std::string_view spans) {
  return static_cast<uint64_t>(std::count(spans.begin(), spans.end(), '\n'));
}

// The first lines, at most so many.
std::string_view FirstLines(std::string_view lines, size_t most) {
  size_t end = 0;
  for (size_t i = 0; i < most && end < lines.size(); ++i) end = lines.find('\n', end) + 1;
  return lines.substr(0, end);
}

bool IsTaken(unsigned status) { return status >= 200 && status < 300; }

// As OTLP has it ("Failures"), and when there was no answer.
bool MayBeTriedAgain(unsigned status) {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

// An ExportTraceServiceRequest.
void MakeRequest(std::string_view service, std::string_view version, std::string_view spans,
                 std::string& body) {
  const auto add_text = [&body](std::string_view value) {
    body += "\"value\":{\"stringValue\":\"";
    AppendJson(value, body);
    body += "\"}}";
  };
  body = R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",)";
  add_text(service);
  body += R"(,{"key":"service.version",)";
  add_text(version);
  body += R"(]},"scopeSpans":[{"scope":{"name":"pgweir"},"spans":[)";
  const size_t begin = body.size();
  body += spans.substr(0, spans.size() - 1);
  std::replace(body.begin() + static_cast<ptrdiff_t>(begin), body.end(), '\n', ',');
  body += "]}]}]}";
}

}  // namespace

SpanExporter::SpanExporter(const config::Traces& options, std::string version, Post post)
    : version_(std::move(version)),
      post_(std::move(post)),
      options_(options),
      queue_(LimitsOf(options), [this](std::string_view spans) { Export(spans); }) {}

bool SpanExporter::Stop(TimePoint deadline) {
  give_up_at_ = deadline - kToNotice;
  return queue_.Stop(deadline);
}

void SpanExporter::Submit(std::string_view spans) {
  if (queue_.Push(spans)) return;
  const MutexLock lock(mutex_);
  counters_.dropped += Count(spans);
}

void SpanExporter::Configure(const config::Traces& options) {
  {
    const MutexLock lock(mutex_);
    options_ = options;
  }
  queue_.Change(LimitsOf(options));
}

SpanExporter::Counters SpanExporter::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

void SpanExporter::Export(std::string_view spans) {
  while (!spans.empty()) {
    if (Clock::now() >= give_up_at_.load()) return Lose(Count(spans), "the process ends");
    const std::string_view first = FirstLines(spans, kMostAtOnce);
    Send(first);
    spans.remove_prefix(first.size());
  }
}

void SpanExporter::Send(std::string_view spans) {
  config::Traces options;
  {
    const MutexLock lock(mutex_);
    options = options_;
    // Switched off meanwhile.
    if (!options.otlp.has_value()) counters_.dropped += Count(spans);
  }
  if (!options.otlp.has_value()) return;
  MakeRequest(options.service_name, version_, spans, body_);
  Answer answer;
  for (milliseconds rest = kFirstRest;; rest *= 2) {
    const TimePoint until = Clock::now() + kPatience;
    answer = post_(*options.otlp, body_, [&] {
      const TimePoint now = Clock::now();
      return now >= until || now >= give_up_at_.load();
    });
    if (!MayBeTriedAgain(answer.status) || rest > kLastRest || queue_.StopsWithin(rest)) break;
  }
  if (!IsTaken(answer.status)) {
    const std::string why =
        answer.status == 0 ? answer.fault : fmt::format("status {}", answer.status);
    return Lose(Count(spans), fmt::format("{}: {}", options.otlp->Authority(), why));
  }
  const MutexLock lock(mutex_);
  counters_.exported += Count(spans);
}

void SpanExporter::Lose(uint64_t spans, const std::string& why) {
  {
    const MutexLock lock(mutex_);
    counters_.failed += spans;
  }
  lost_ += spans;
  const TimePoint now = Clock::now();
  if (logged_at_ != TimePoint() && now - logged_at_ < kBetweenLogLines) return;
  logged_at_ = now;
  LogWarn("spans are lost: {} lost_spans={}", why, std::exchange(lost_, 0));
}

}  // namespace pgweir::observe
