#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "router/placement_queries.h"
#include "router/placement_tables.h"
#include "router/shard_map.h"

namespace pgweir::router {

// Something about the nodes' tables that doesn't suit the shard map.
struct PlacementFinding {
  enum class Severity : uint8_t {
    kError,    // statements fail, or an answer may be wrong
    kWarning,  // something holds on each node by itself only
    kNote,     // worth knowing
  };
  Severity severity = Severity::kNote;
  std::string node;   // "" = on every node
  std::string table;  // as SQL writes it; "" = of the database
  std::string message;
  std::string advice;  // what to do
  bool operator==(const PlacementFinding&) const = default;
};

struct NodePlacement {
  std::string node;
  PlacementRows rows;
};

// What is to be said when a map is loaded, errors first, then by table. `nodes` are those that
// could be asked. Nothing when the map has but one node.
StatusOr<std::vector<PlacementFinding>> ReportPlacement(const ShardMap& map,
                                                        std::span<const NodePlacement> nodes);

// A line of a log: `error: table "public"."trades" on node x: message. Advice`
std::string Describe(const PlacementFinding& finding);

// Its two halves: what one node's tables say by themselves, and where nodes differ from the first.
std::vector<PlacementFinding> FindFaults(const ShardMap& map, const NodeTables& node);
std::vector<PlacementFinding> FindDifferences(const ShardMap& map,
                                              std::span<const NodeTables> nodes);

}  // namespace pgweir::router
