#include "observe/slow_statements.h"

#include "observe/json_text.h"

namespace pgweir::observe {

void SlowStatements::Add(const StatementRecord& record, std::string_view text) {
  const MutexLock lock(mutex_);
  const bool full = statements_.size() == kMost;
  if (!full) statements_.emplace_back();
  Statement& statement = full ? statements_[oldest_] : statements_.back();
  if (full) oldest_ = (oldest_ + 1) % kMost;
  statement.finished = record.finished;
  statement.database.assign(record.client->database);
  statement.user.assign(record.client->user);
  statement.text.assign(CutUtf8(text, kMaxText));
  statement.tag.assign(record.tag);
  statement.sqlstate.assign(record.sqlstate);
  statement.digest = record.digest;
  statement.rows = record.rows;
  statement.bytes = record.bytes;
  statement.times = record.times;
  statement.shards = record.shards;
  statement.cache = record.cache;
}

std::vector<SlowStatements::Statement> SlowStatements::List() const {
  const MutexLock lock(mutex_);
  return statements_;
}

void SlowStatements::Reset() {
  const MutexLock lock(mutex_);
  statements_.clear();
  oldest_ = 0;
}

}  // namespace pgweir::observe
