#pragma once

#include <optional>
#include <string>

#include "base/status.h"

namespace pgweir::proxy {

class Snapshot;

// One pattern of a shard map that is to lead to another node, or to be dropped.
struct ShardMapChange {
  std::string database;             // the configuration's entry
  std::string pattern;              // as the file has it
  std::optional<std::string> node;  // none = it is dropped
};

// Writes it into the map's file, provided that the file is still what `serving` was made from and
// that a reload would take what it becomes. Else nothing is written.
Status ChangeShardMap(const std::string& config_path, const Snapshot& serving,
                      const ShardMapChange& change);

}  // namespace pgweir::proxy
