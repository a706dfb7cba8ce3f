#pragma once

#include <limits>
#include <string>
#include <vector>

#include "report/digests.h"
#include "report/groups.h"
#include "report/log_line.h"
#include "report/time_cube.h"

namespace pgweir::report {

// Which statements are looked at; "" and the limits stand for all.
struct Filter {
  std::string database = {}, user = {}, shard = {};
  int64_t from = std::numeric_limits<int64_t>::min();  // microseconds since 1970
  int64_t until = std::numeric_limits<int64_t>::max();

  bool Passes(const Statement& statement) const;
};

struct LineCounts {
  uint64_t statements = 0, plans = 0, filtered = 0, other = 0, broken = 0;
};

// A line or a file that could not be read.
struct Fault {
  std::string where;  // FILE:LINE
  std::string what;
};

// All that a report says of its logs. Its memory does not grow with them: kMaxGroups times
// kTrafficSlots cells, kMaxDigestCells more, and kMaxDigests digests with their samples; each cell
// has kMaxBuckets buckets at most. That is 220 MiB when everything is as large as it can be, and a
// twentieth of it in real logs.
class Summary {
 public:
  static constexpr int kTrafficSlots = 240;
  static constexpr int kDigestSlots = 48;
  static constexpr size_t kMaxDigestCells = 40'000;
  static constexpr size_t kMaxFaults = 10;

  explicit Summary(Filter filter = {});

  void Add(const Statement& statement, Place place);
  void AddPlan(const Statement& plan);
  void CountOther() { ++lines_.other; }
  void AddFault(std::string where, std::string what);  // of a line
  void AddFileFault(std::string where, std::string what);

  const LineCounts& lines() const { return lines_; }
  const std::vector<Fault>& faults() const { return faults_; }
  const Groups& groups() const { return groups_; }
  const Digests& digests() const { return digests_; }
  // Series are groups.
  const TimeCube& traffic() const { return traffic_; }
  // Series are DigestSeries.
  const TimeCube& by_digest() const { return by_digest_; }
  // Microseconds since 1970, of the first and last statement.
  int64_t first() const { return first_; }
  int64_t last() const { return last_; }

  static uint32_t DigestOf(TimeCube::Series series) { return series / Groups::kMaxGroups; }
  static uint32_t GroupOf(TimeCube::Series series) { return series % Groups::kMaxGroups; }
  static TimeCube::Series SeriesOf(uint32_t digest, uint32_t group) {
    return digest * Groups::kMaxGroups + group;
  }

 private:
  void GiveUpDigests();
  void BoundCells();

  const Filter filter_;
  LineCounts lines_;
  std::vector<Fault> faults_;
  Groups groups_;
  Digests digests_;
  TimeCube traffic_{kTrafficSlots};
  TimeCube by_digest_{kDigestSlots};
  int64_t first_ = std::numeric_limits<int64_t>::max();
  int64_t last_ = std::numeric_limits<int64_t>::min();
};

}  // namespace pgweir::report
