#pragma once

#include <optional>
#include <random>
#include <string_view>

#include "pooler/node_view.h"

namespace pgweir::pooler {

struct ReplicaWish {
  std::string_view label = "";  // "" = one that is set apart for nothing
  Duration max_lag{};           // 0 = none beyond the node's own
  uint64_t min_lsn = 0;         // it has replayed that much of the primary's WAL; 0 = whatever
  TimePoint caught_up_since{};  // it has had all that the primary had then; the epoch = whenever
};

// A usable replica as wished, by its place in the view: of two at random the one that is less busy.
// None when no replica will do.
std::optional<size_t> PickReplica(const NodeView& view, const ReplicaWish& wish,
                                  std::minstd_rand& random);

}  // namespace pgweir::pooler
