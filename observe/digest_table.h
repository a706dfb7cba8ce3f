#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "observe/digest_sums.h"
#include "observe/statement_record.h"

namespace pgweir::observe {

// What one worker's statements added up to, by database, user and digest. Of a fixed number: a new
// digest takes the place of the least useful of a few, whose sums go to `other`. What is called
// often or takes long stays, until it has not been seen for long; so any number of texts that come
// once takes no memory and pushes out little.
//
// Record() belongs to the worker. It never waits: a digest that has a place is added up without a
// lock, which whoever reads at that time may see half of. Places are given under a mutex that
// readers hold for one place at a time, and that the worker only tries: while somebody reads, what
// has no place yet counts as other.
class DigestTable {
 public:
  static constexpr size_t kMaxName = 128;  // bytes kept of a database's and a user's name
  static constexpr size_t kMaxText = 2048;
  static constexpr size_t kMaxExample = 1024;

  struct Options {
    size_t digests = 500;
    bool keep_examples = true;  // a text of each, with its literals, unless it may hold a secret
  };
  explicit DigestTable(Options options);
  DigestTable(const DigestTable&) = delete;
  DigestTable& operator=(const DigestTable&) = delete;

  // Whether the digest still lacks its text: then Describe(), with the record's digest_text.
  bool Record(const StatementRecord& record);
  void Describe(const StatementRecord& record);

  struct Row {
    std::string_view database, user, text, example;
    uint64_t digest = 0;
    const DigestSums* sums = nullptr;
  };
  // From any thread: each digest that is kept, in no order. The row lives as long as the call, and
  // meanwhile the table is not locked. Then what has no place, whose names and texts are empty.
  void ForEach(const std::function<void(const Row&)>& visit) const;
  // From any thread: begins anew.
  void Reset() { epoch_.fetch_add(1, std::memory_order_relaxed); }

 private:
  // Under mutex_ where the worker changes it or another thread reads it. The sums change without.
  struct Place {
    uint64_t epoch = 0;  // of another one than the table's: empty
    uint64_t digest = 0;
    uint64_t hash = 0;
    std::string database, user, text, example;
    bool described = false;
    DigestSums sums;
  };

  static bool IsOf(const Place& place, const StatementRecord& record);
  void Renew(Place& place, uint64_t hash, const StatementRecord& record);
  Place* TakePlace(uint64_t hash, const StatementRecord& record);
  // Of those whose turn it is.
  Place& LeastUseful(const StatementRecord& record);
  uint64_t UseOf(const Place& place, uint64_t now_us) const;
  void AddToOther(const StatementRecord& record);
  DigestSums& CurrentOther();

  const Options options_;
  std::atomic<uint64_t> epoch_{1};
  mutable Mutex mutex_;
  std::unique_ptr<Place[]> places_;
  DigestSums other_;
  std::atomic<uint64_t> other_epoch_{1};

  // The worker's alone:
  absl::flat_hash_map<uint64_t, uint32_t> index_;  // by hash
  size_t used_ = 0;
  size_t hand_ = 0;  // the next place that may be taken away
};

}  // namespace pgweir::observe
