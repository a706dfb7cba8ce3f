#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "report/measures.h"

namespace pgweir::report {

// Measures by series and slot of time. All slots are equally wide and begin at multiples of their
// width in UTC; they get wider, so that whole ones become one, when the log spans more than
// max_slots. Memory is bounded by max_slots and the number of series, or by Coarsen().
class TimeCube {
 public:
  using Series = uint32_t;  // below 2^24

  explicit TimeCube(int max_slots) : max_slots_(max_slots) {}

  void Add(Series series, const Statement& statement);

  // Twice as wide or more. Never needed for max_slots, but cells may be too many.
  void Coarsen();
  // Gives every cell to another series, or the same one.
  void Rename(const std::function<Series(Series)>& name);

  using Visitor = std::function<void(Series, int64_t slot, const Measures&)>;
  // In no order. A slot begins at second slot * width().
  void ForEach(const Visitor& visit) const;

  int64_t width() const;  // seconds
  int64_t first() const { return first_; }
  // From the first to the last one in use; 0 when there is none.
  int64_t slots() const { return last_ < first_ ? 0 : last_ - first_ + 1; }
  size_t cells() const { return cells_.size(); }

 private:
  static uint64_t Key(Series series, int64_t slot) {
    return uint64_t{series} << 40 | static_cast<uint64_t>(slot);
  }
  void Rebuild(const std::function<uint64_t(Series, int64_t)>& key);

  const int max_slots_;
  int width_step_ = 0;
  int64_t first_ = std::numeric_limits<int64_t>::max();
  int64_t last_ = std::numeric_limits<int64_t>::min();
  absl::flat_hash_map<uint64_t, Measures> cells_;
};

}  // namespace pgweir::report
