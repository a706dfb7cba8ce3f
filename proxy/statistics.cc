#include "proxy/statistics.h"

namespace pgweir::proxy {
namespace {

constexpr uint64_t kNanosecondsPerMicrosecond = 1000;

bool IsTime(size_t stat) {
  return stat == static_cast<size_t>(Stat::kXactTime) ||
         stat == static_cast<size_t>(Stat::kQueryTime) ||
         stat == static_cast<size_t>(Stat::kWaitTime);
}

// Each of what a time is averaged over.
Stat UnitOf(size_t time) {
  if (time == static_cast<size_t>(Stat::kXactTime)) return Stat::kXacts;
  if (time == static_cast<size_t>(Stat::kQueryTime)) return Stat::kQueries;
  return Stat::kAssignments;
}

void AddTo(StatValues& sum, const StatValues& values) {
  for (size_t i = 0; i < kStats; ++i) sum[i] += values[i];
}

}  // namespace

Counters& Counters::Unread() {
  static thread_local Counters counters;
  return counters;
}

StatValues Averages(const StatValues& older, const StatValues& newer, Duration period) {
  StatValues averages{};
  const double seconds = std::chrono::duration<double>(period).count();
  if (seconds <= 0) return averages;
  for (size_t i = 0; i < kStats; ++i) {
    const uint64_t grown = newer[i] - older[i];
    if (!IsTime(i)) {
      averages[i] = static_cast<uint64_t>(static_cast<double>(grown) / seconds);
      continue;
    }
    const auto unit = static_cast<size_t>(UnitOf(i));
    const uint64_t each = newer[unit] - older[unit];
    averages[i] = each == 0 ? 0 : grown / each / kNanosecondsPerMicrosecond;
  }
  return averages;
}

StatValues Statistics::Entry::Sum() const {
  StatValues sum{};
  for (const Counters& of_worker : counters) of_worker.AddTo(sum);
  return sum;
}

Counters& Statistics::Of(const std::string& database, int worker) {
  MutexLock lock(mutex_);
  std::unique_ptr<Entry>& entry = entries_[database];
  if (entry == nullptr) entry = std::make_unique<Entry>(workers_);
  return entry->counters[static_cast<size_t>(worker)];
}

void Statistics::EndPeriod(TimePoint now) {
  MutexLock lock(mutex_);
  for (const auto& [database, entry] : entries_) {
    entry->older = entry->newer;
    entry->newer = entry->Sum();
  }
  period_ = now - newer_at_;
  newer_at_ = now;
}

Statistics::Row Statistics::RowOf(const std::string& database, const StatValues& now,
                                  const StatValues& newer, const StatValues& older) const {
  Row row{.database = database, .totals = now, .averages = Averages(older, newer, period_)};
  for (size_t i = 0; i < kStats; ++i) {
    if (IsTime(i)) row.totals[i] /= kNanosecondsPerMicrosecond;
  }
  return row;
}

std::vector<Statistics::Row> Statistics::Read() const {
  std::vector<Row> rows;
  StatValues now{}, newer{}, older{};
  MutexLock lock(mutex_);
  for (const auto& [database, entry] : entries_) {
    const StatValues sum = entry->Sum();
    rows.push_back(RowOf(database, sum, entry->newer, entry->older));
    AddTo(now, sum);
    AddTo(newer, entry->newer);
    AddTo(older, entry->older);
  }
  rows.push_back(RowOf("", now, newer, older));
  return rows;
}

}  // namespace pgweir::proxy
