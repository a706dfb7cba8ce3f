#include "report/time_cube.h"

#include <algorithm>
#include <iterator>

namespace pgweir::report {
namespace {

// Each a multiple of the one before, and of an hour once it is larger.
constexpr int64_t kWidths[] = {1,     5,      10,      30,       60,       300,
                               600,   1800,   3600,    10800,    21600,    43200,
                               86400, 604800, 4838400, 38707200, 619315200};
constexpr int kLastStep = std::size(kWidths) - 1;
constexpr uint64_t kSlotMask = (uint64_t{1} << 40) - 1;

}  // namespace

int64_t TimeCube::width() const { return kWidths[width_step_]; }

void TimeCube::Rebuild(const std::function<uint64_t(Series, int64_t)>& key) {
  absl::flat_hash_map<uint64_t, Measures> old;
  old.swap(cells_);
  for (auto& [cell, measures] : old) {
    const uint64_t place =
        key(static_cast<Series>(cell >> 40), static_cast<int64_t>(cell & kSlotMask));
    const auto [entry, is_new] = cells_.try_emplace(place);
    if (is_new) {
      entry->second = std::move(measures);
    } else {
      entry->second.Merge(measures);
    }
  }
}

void TimeCube::Coarsen() {
  if (width_step_ == kLastStep) return;
  const int64_t ratio = kWidths[width_step_ + 1] / kWidths[width_step_];
  ++width_step_;
  if (cells_.empty()) return;
  first_ /= ratio;
  last_ /= ratio;
  Rebuild([ratio](Series series, int64_t slot) { return Key(series, slot / ratio); });
}

void TimeCube::Rename(const std::function<Series(Series)>& name) {
  Rebuild([&name](Series series, int64_t slot) { return Key(name(series), slot); });
}

void TimeCube::Add(Series series, const Statement& statement) {
  const int64_t second = statement.at / 1'000'000;
  const auto spans = [&] {
    return std::max(last_, second / width()) - std::min(first_, second / width()) + 1;
  };
  if (!cells_.empty()) {
    while (spans() > max_slots_ && width_step_ < kLastStep) Coarsen();
  }
  const int64_t slot = second / width();
  first_ = std::min(first_, slot);
  last_ = std::max(last_, slot);
  cells_[Key(series, slot)].Add(statement);
}

void TimeCube::ForEach(const Visitor& visit) const {
  for (const auto& [cell, measures] : cells_) {
    visit(static_cast<Series>(cell >> 40), static_cast<int64_t>(cell & kSlotMask), measures);
  }
}

}  // namespace pgweir::report
