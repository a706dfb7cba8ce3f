#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/shard_map.h"

// A shards.toml with one pattern changed and all else as the DBA wrote it.

namespace pgweir::config {

// The text of `map`'s file with `pattern` leading to `node`. A new pattern gets a line behind the
// last of the others.
StatusOr<std::string> WithPattern(const ShardMap& map, std::string_view pattern,
                                  std::string_view node);

// Without the pattern's line; "*" has to stay.
StatusOr<std::string> WithoutPattern(const ShardMap& map, std::string_view pattern);

// Whether `edited` is `map` but for the pattern, which leads to `node`, or isn't there without one.
bool DiffersOnlyIn(const ShardMap& edited, const ShardMap& map, std::string_view pattern,
                   const std::optional<std::string>& node);

}  // namespace pgweir::config
