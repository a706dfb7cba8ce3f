#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "router/shard_map.h"
#include "router/sql_scanner.h"

namespace pgweir::router {

// How one statement is steered, by its comments or by the session's settings.
struct Hints {
  enum class Role : uint8_t { kAuto, kPrimary, kReplica };
  struct Cache {
    bool off = false;  // neither read nor store
    std::chrono::milliseconds ttl{0};
    bool operator==(const Cache&) const = default;
  };

  std::optional<std::string> shard;   // the name of a node
  std::optional<std::string> symbol;  // the node that holds it
  std::optional<Role> role;
  std::optional<std::string> label;  // of a replica
  std::optional<Cache> cache;

  bool empty() const { return !shard && !symbol && !role && !label && !cache; }
};

// Sets what `key` (shard, symbol, role, label, cache) names: of a comment, or of a setting without
// its "pgweir.". 22023 says what is wrong with either.
Status SetHint(std::string_view key, std::string_view value, Hints& hints);

// Those of all comments of the text that `scan` is of: /* pgweir: key=value, … */. A value with a
// comma or blank in it stands between single quotes, one of its own written twice. Facts know
// nothing of hints, since texts that differ only in their comments share them.
StatusOr<Hints> HintsOf(std::string_view sql, const SqlScan& scan);

// The node that they steer to; nothing when they don't. 22023 when there is no such node, or when
// they name two.
StatusOr<std::optional<NodeId>> HintedNode(const Hints& hints, const ShardMap& map);

}  // namespace pgweir::router
