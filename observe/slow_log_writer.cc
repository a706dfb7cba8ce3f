#include "observe/slow_log_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"

namespace pgweir::observe {
namespace {

// How long a line waits for others, so that a write carries many.
constexpr std::chrono::milliseconds kGather{50};
// A buffer that grew beyond this is given back when it has been written.
constexpr size_t kKeptBuffer = size_t{1} << 20;

}  // namespace

SlowLogWriter::SlowLogWriter(const config::SlowLog& options)
    : options_(options), thread_([this] { Run(); }) {}

SlowLogWriter::~SlowLogWriter() {
  Stop(Clock::now());
  thread_.join();
}

bool SlowLogWriter::Stop(TimePoint deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (!ended_.try_acquire_until(deadline)) return false;
  ended_.release();
  return true;
}

void SlowLogWriter::Submit(std::string_view line, TimePoint now) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || options_.path.empty()) return;
    if (IsOverRate(now)) {
      ++counters_.suppressed;
      return;
    }
    if (queue_.size() + in_hand_ + line.size() > options_.max_queue_bytes) {
      ++counters_.dropped;
      return;
    }
    const size_t half = options_.max_queue_bytes / 2;
    first = queue_.empty() || (queue_.size() < half && queue_.size() + line.size() >= half);
    queue_ += line;
  }
  if (first) wake_.notify_one();
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
    const std::lock_guard lock(mutex_);
    options_ = options;
    changed_ = true;
  }
  wake_.notify_one();
}

SlowLogWriter::Counters SlowLogWriter::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void SlowLogWriter::Run() {
  std::string batch;
  while (TakeBatch(batch)) {
    if (!batch.empty()) Write(batch);
    if (batch.capacity() > kKeptBuffer) std::string().swap(batch);
    batch.clear();
  }
  ended_.release();
}

bool SlowLogWriter::TakeBatch(std::string& batch) {
  std::optional<config::SlowLog> options;
  {
    std::unique_lock lock(mutex_);
    in_hand_ = 0;
    wake_.wait(lock, [this] { return stopping_ || changed_ || !queue_.empty(); });
    wake_.wait_for(lock, kGather, [this] {
      return stopping_ || changed_ || queue_.size() >= options_.max_queue_bytes / 2;
    });
    if (std::exchange(changed_, false)) options = options_;
    if (stopping_ && queue_.empty()) return false;
    batch.swap(queue_);
    in_hand_ = batch.size();
  }
  if (options.has_value()) {
    file_.Configure(*options);
    file_.Close();
  }
  return true;
}

void SlowLogWriter::Write(std::string_view batch) {
  const size_t taken = file_.Append(batch, Clock::now());
  const auto lines = [](std::string_view text) {
    return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  };
  const uint64_t written = lines(batch.substr(0, taken));
  const uint64_t failed = lines(batch.substr(taken));
  {
    const std::lock_guard lock(mutex_);
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
