#include "proxy/shard_statistics.h"

#include <charconv>

namespace pgweir::proxy {

PatternCounters& ShardStatistics::Of(const std::string& database, const std::string& pattern,
                                     int worker) {
  MutexLock lock(mutex_);
  auto& counters = patterns_[{database, pattern}][worker];
  if (counters == nullptr) counters = std::make_unique<PatternCounters>();
  return *counters;
}

PatternCounters::Values ShardStatistics::Read(const std::string& database,
                                              const std::string& pattern) const {
  PatternCounters::Values sum;
  MutexLock lock(mutex_);
  const auto found = patterns_.find({database, pattern});
  if (found == patterns_.end()) return sum;
  for (const auto& [worker, counters] : found->second) counters->AddTo(sum);
  return sum;
}

PatternCounters* PatternCountersOfWorker::Of(const router::ShardMapRef& map,
                                             const std::string& database,
                                             router::PatternId pattern) {
  if (pattern == router::kNoPattern) return nullptr;
  auto found = maps_.find(map.get());
  if (found == maps_.end()) {
    absl::erase_if(maps_, [](const auto& known) { return known.second.map.use_count() == 1; });
    const size_t patterns = map->source().patterns.size();
    found = maps_.emplace(map.get(), Known{map, std::vector<PatternCounters*>(patterns)}).first;
  }
  PatternCounters*& counters = found->second.counters[pattern];
  if (counters == nullptr) {
    counters = &all_.Of(database, map->source().patterns[pattern].Written(), worker_);
  }
  return counters;
}

uint64_t RowsOf(std::string_view tag) {
  const size_t space = tag.rfind(' ');
  if (space == std::string_view::npos) return 0;
  tag.remove_prefix(space + 1);
  uint64_t rows = 0;
  const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), rows);
  return error == std::errc() && end == tag.data() + tag.size() ? rows : 0;
}

}  // namespace pgweir::proxy
