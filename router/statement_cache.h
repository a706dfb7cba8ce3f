#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// The facts of the statements that were seen, found again by their normalised text without a parse.
// One per worker, for its thread only; what it returns may go anywhere.
//
// Bounded in bytes, by a least-recently-used list in two parts: what is seen once is on trial, and
// only what is found again while it is there becomes kept. So any number of statements that come
// once pass through the trial part alone.
//
// Facts say nothing that depends on a literal's value. Two things are decided without it: a
// set_config whose is_local is a literal ('t') counts as not local, and EXPLAIN (ANALYZE 'off') as
// running its statement.
class StatementCache {
 public:
  static constexpr size_t kDefaultBytes = size_t{8} << 20;

  struct Counters {
    uint64_t repeats = 0;  // the very text as before
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
  };

  explicit StatementCache(size_t max_bytes = kDefaultBytes) : max_bytes_(max_bytes) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  // Never null. standard_strings: the session's standard_conforming_strings.
  FactsRef Find(std::string_view sql, bool standard_strings = true);

  // Of the text last given to Find(): its tokens and literals, as spans of that text.
  const SqlScan& scan() const { return scan_; }
  // Likewise of this text, which mostly is that one.
  const SqlScan& ScanOf(std::string_view sql, bool standard_strings = true) {
    if (!IsLast(sql, standard_strings)) Find(sql, standard_strings);
    return scan_;
  }

  size_t bytes() const { return trial_.bytes + kept_.bytes; }
  size_t entries() const { return index_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Entry {
    std::string key;
    uint64_t hash = 0;
    size_t bytes = 0;
    bool kept = false;
    FactsRef facts;
  };
  // Most recently used first.
  struct Part {
    std::list<Entry> entries;
    size_t bytes = 0;
  };

  bool IsLast(std::string_view sql, bool standard_strings) const {
    return last_ && standard_strings == last_standard_strings_ && sql == last_sql_;
  }
  FactsRef FindScanned(std::string_view sql);
  // The facts stored for the key, which thereby become recent; null when there are none.
  FactsRef Lookup(uint64_t hash, std::string_view key);
  void Store(uint64_t hash, std::string_view key, const FactsRef& facts);
  void MakeRecent(std::list<Entry>::iterator entry);
  void Move(std::list<Entry>::iterator entry, bool to_kept);
  void Shrink();

  size_t max_bytes_;
  SqlScan scan_;
  Part trial_;
  Part kept_;
  absl::flat_hash_map<uint64_t, std::list<Entry>::iterator> index_;

  std::string last_sql_;
  bool last_standard_strings_ = true;
  FactsRef last_;
  Counters counters_;
};

}  // namespace pgweir::router
