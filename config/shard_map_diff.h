#pragma once

#include <string>
#include <vector>

#include "config/shard_map.h"

namespace pgweir::config {

// A pattern whose symbols lie elsewhere with another map, those of longer patterns left out.
struct PatternMove {
  std::string pattern;  // as the file has it
  std::string from, to;
  bool operator==(const PatternMove&) const = default;
};

// What patterns that are new, gone or changed do to symbols, in the order of the maps.
std::vector<PatternMove> PatternMoves(const ShardMap& before, const ShardMap& after);

// "3 patterns: db_shard_default to db_shard_2 ("SOL*", "ADA*"), …", a bounded text for a log.
std::string Describe(const std::vector<PatternMove>& moves);

}  // namespace pgweir::config
