#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "router/placement_report.h"
#include "tests/router/routed.h"

// Findings of nodes' rows, written down.

namespace pgweir::router::test {

// trades, orders and book sharded, instruments replicated, the rest on "b".
inline ShardMapRef PlacementMap() {
  config::ShardMap map;
  map.patterns = {{"BTC", true, "a"}, {"", true, "b"}};
  map.default_node = "b";
  map.sharded = {{"", "trades", "symbol"}, {"", "orders", "symbol"}, {"app", "book", "sym"}};
  map.replicated = {{"", "instruments", ""}};
  return ShardMap::Compile(map, std::vector<std::string>{"a", "b"});
}

inline std::vector<std::string> Lines(const std::vector<PlacementFinding>& findings) {
  std::vector<std::string> lines;
  for (const PlacementFinding& finding : findings) lines.push_back(Describe(finding));
  return lines;
}

}  // namespace pgweir::router::test
