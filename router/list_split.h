#pragma once

#include <string>
#include <vector>

#include "router/bound_values.h"
#include "router/route_template.h"
#include "router/shard_map.h"
#include "router/text_edit.h"

namespace pgweir::router {

// What one node is sent in place of a statement's lists of symbols, so that it doesn't look for
// those of others. The text keeps its shape and its parameters their number, types and formats.
struct ListSplit {
  struct ParameterEdit {
    int number = 0;     // 1 for $1
    std::string bytes;  // in the format that the parameter has
    bool operator==(const ParameterEdit&) const = default;
  };
  std::vector<TextEdit> text;             // in order of their places
  std::vector<ParameterEdit> parameters;  // by number

  bool empty() const { return text.empty() && parameters.empty(); }
};

// Symbols of other nodes leave the lists that rows have to be in: = ANY (an array) drops them, in
// IN one of the node's own symbols takes their place. A list that can't surely be told, or that the
// statement uses for something else too, stays whole: the node has no rows of those symbols. The
// text's edits are the same whatever the parameters are.
ListSplit SplitLists(const RouteTemplate& route, const ShardMap& map, const BoundValues& values,
                     NodeId node);

}  // namespace pgweir::router
