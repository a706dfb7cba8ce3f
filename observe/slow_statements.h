#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "observe/statement_record.h"

namespace pgweir::observe {

// The newest slow statements of one worker, for whoever looks without the log at hand. Add()
// belongs to the worker; the lock is held for a copy.
class SlowStatements {
 public:
  static constexpr size_t kMost = 100;
  static constexpr size_t kMaxText = 1024;  // bytes

  struct Statement {
    WallTime finished;
    std::string database, user, text, tag, sqlstate;
    uint64_t digest = 0, rows = 0, bytes = 0;
    TimeSplit times;
    ShardBits shards = {};
    CacheOutcome cache = CacheOutcome::kNone;
  };

  // `text`: the record's, or what may be shown of it.
  void Add(const StatementRecord& record, std::string_view text);
  // From any thread: in no order.
  std::vector<Statement> List() const;
  // From any thread.
  void Reset();

 private:
  mutable Mutex mutex_;
  std::vector<Statement> statements_ ABSL_GUARDED_BY(mutex_);
  size_t oldest_ ABSL_GUARDED_BY(mutex_) = 0;  // when they are as many as there may be
};

}  // namespace pgweir::observe
