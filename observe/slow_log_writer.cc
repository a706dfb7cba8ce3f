#include "observe/slow_log_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"

namespace pgweir::observe {
namespace {

// How long a line waits for others, so that a write carries many.
constexpr std::chrono::milliseconds kGather{50};

LineQueue::Limits LimitsOf(const config::SlowLog& options) {
  return {options.max_queue_bytes, options.max_queue_bytes / 2, kGather};
}

}  // namespace

SlowLogWriter::SlowLogWriter(const config::SlowLog& options)
    : options_(options),
      queue_(LimitsOf(options), [this](std::string_view lines) { Write(lines); }) {}

void SlowLogWriter::Submit(std::string_view line, TimePoint now) {
  const MutexLock lock(mutex_);
  if (options_.path.empty()) return;
  if (IsOverRate(now)) {
    ++counters_.suppressed;
  } else if (!queue_.Push(line)) {
    ++counters_.dropped;
  }
}

bool SlowLogWriter::IsOverRate(TimePoint now) {
  if (options_.max_lines_per_second == 0) return false;
  if (now - second_ >= std::chrono::seconds(1) || now < second_) {
    second_ = now;
    lines_ = 0;
  }
  return ++lines_ > options_.max_lines_per_second;
}

void SlowLogWriter::Configure(const config::SlowLog& options) {
  {
    const MutexLock lock(mutex_);
    options_ = options;
    changed_ = true;
  }
  queue_.Change(LimitsOf(options));
}

SlowLogWriter::Counters SlowLogWriter::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

void SlowLogWriter::Write(std::string_view batch) {
  std::optional<config::SlowLog> options;
  {
    const MutexLock lock(mutex_);
    if (std::exchange(changed_, false)) options = options_;
  }
  if (options.has_value()) {
    file_.Configure(*options);
    file_.Close();
  }
  if (batch.empty()) return;
  const size_t taken = file_.Append(batch, Clock::now());
  const auto lines = [](std::string_view text) {
    return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  };
  const uint64_t written = lines(batch.substr(0, taken));
  const uint64_t failed = lines(batch.substr(taken));
  {
    const MutexLock lock(mutex_);
    counters_.written += written;
    counters_.failed += failed;
  }
  lost_ += failed;
  if (failed != 0 && !failing_) LogWarn("{}; its lines are lost", MessageOf(file_.fault()));
  if (failed == 0 && failing_) {
    LogInfo("the slow-query log is written again lost_lines={}", lost_);
    lost_ = 0;
  }
  failing_ = failed != 0;
}

}  // namespace pgweir::observe
