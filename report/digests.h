#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"
#include "report/measures.h"

namespace pgweir::report {

// Where a line stands.
struct Place {
  uint32_t file = 0;  // its number on the command line
  uint64_t line = 0;
};

// A statement as it ran. Long texts are cut.
struct Sample {
  Place place;
  int64_t at = 0;
  uint32_t group = 0;
  TimeSplit time;
  uint64_t rows = 0, bytes = 0, retries = 0;
  bool cached = false;
  std::string sql, parameters, application, remote_host, role, traceparent, sqlstate, error;
};

struct Digest {
  std::string id;       // as logged
  std::string outline;  // of the slowest sample
  int64_t first = 0, last = 0;
  uint64_t calls = 0, total = 0;  // microseconds
  std::vector<Sample> slowest;    // slowest first
  int64_t plan_at = 0;            // of the newest one
  std::string plan;               // EXPLAIN's JSON
  bool plan_left_out = false;     // it was longer than kMaxPlan
};

// The digests of a log, with the slowest statements of each. When there are kMaxDigests, those that
// took the least time make room: what is known of them goes to the first one, which stands for all
// that have no name.
class Digests {
 public:
  static constexpr size_t kMaxDigests = 1000;
  static constexpr uint32_t kOther = 0;
  static constexpr size_t kSamples = 3;
  static constexpr size_t kMaxSql = 4096, kMaxParameters = 2048, kMaxPlan = 32768;

  Digests();

  // The number of the statement's digest. Is full when it must be given a new one and there is
  // none.
  bool Full(std::string_view id) const;
  uint32_t Add(const Statement& statement, uint32_t group, Place place);
  // Likewise of a plan by itself. Its statements may come later, or not at all.
  void AddPlan(const Statement& plan);

  // Gives up the quarter that took the least time. The answer says for each number what it is now.
  std::vector<uint32_t> GiveUpLeast();

  const std::vector<Digest>& list() const { return list_; }
  uint64_t given_up() const { return given_up_; }

 private:
  uint32_t NumberOf(std::string_view id);
  void AddSample(Digest& digest, const Statement& statement, uint32_t group, Place place);

  std::vector<Digest> list_;
  absl::flat_hash_map<std::string, uint32_t, StringHash, StringEq> numbers_;
  uint64_t given_up_ = 0;
};

}  // namespace pgweir::report
