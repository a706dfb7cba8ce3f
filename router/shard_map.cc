#include "router/shard_map.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/strings.h"

namespace pgweir::router {
namespace {

// The map as it is written: of the patterns that fit the longest wins.
class Patterns {
 public:
  Patterns(const config::ShardMap& map, const ShardMap& compiled) {
    for (PatternId id = 0; id < map.patterns.size(); ++id) {
      const config::SymbolPattern& pattern = map.patterns[id];
      const auto node = compiled.Find(pattern.node);
      PGWEIR_CHECK(node.has_value());
      (pattern.prefix ? prefixes_ : wholes_).emplace(pattern.text, ShardMap::Place{*node, id});
    }
  }

  ShardMap::Place PlaceFor(std::string_view symbol) const {
    const auto whole = wholes_.find(symbol);
    if (whole != wholes_.end()) return whole->second;
    for (size_t length = symbol.size();; --length) {
      const auto prefix = prefixes_.find(symbol.substr(0, length));
      if (prefix != prefixes_.end()) return prefix->second;
      PGWEIR_CHECK(length > 0);  // config refuses a map without "*"
    }
  }

  // Where the place may change, in order: between two of them every symbol fits the same patterns.
  std::vector<std::string> Bounds() const {
    std::vector<std::string> bounds = {""};
    for (const auto& [text, place] : prefixes_) {
      bounds.push_back(text);
      if (auto behind = BehindPrefix(text)) bounds.push_back(std::move(*behind));
    }
    for (const auto& [text, place] : wholes_) {
      bounds.push_back(text);
      bounds.push_back(text + '\0');
    }
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    return bounds;
  }

 private:
  using ByText = std::unordered_map<std::string, ShardMap::Place, StringHash, StringEq>;
  ByText prefixes_;
  ByText wholes_;
};

bool Means(const config::ListedTable& listed, const QualifiedName& table) {
  return listed.name == table.name && (listed.schema.empty() || listed.schema == table.schema);
}

}  // namespace

ShardMapRef ShardMap::Compile(const config::ShardMap& map, std::span<const std::string> nodes) {
  PGWEIR_CHECK(nodes.size() <= NodeSet::kMaxNodes);
  std::shared_ptr<ShardMap> compiled(new ShardMap(map));
  compiled->nodes_.assign(nodes.begin(), nodes.end());
  const Patterns patterns(map, *compiled);
  for (std::string& bound : patterns.Bounds()) {
    const Place place = patterns.PlaceFor(bound);
    compiled->all_nodes_.Add(place.node);
    if (!compiled->segments_.empty() && compiled->segments_.back().place == place) continue;
    compiled->segments_.push_back({std::move(bound), place});
  }
  const Place rest = patterns.PlaceFor("");
  compiled->default_node_ = rest.node;
  compiled->default_pattern_ = rest.pattern;
  compiled->first_patterns_.assign(nodes.size(), kNoPattern);
  for (PatternId id = 0; id < map.patterns.size(); ++id) {
    PatternId& first = compiled->first_patterns_[*compiled->Find(map.patterns[id].node)];
    first = std::min(first, id);
  }
  return compiled;
}

size_t ShardMap::SegmentOf(std::string_view symbol) const {
  const auto behind =
      std::upper_bound(segments_.begin(), segments_.end(), symbol,
                       [](std::string_view s, const Segment& segment) { return s < segment.from; });
  return static_cast<size_t>(behind - segments_.begin()) - 1;
}

void ShardMap::AddNodes(std::string_view from, const std::optional<std::string>& to,
                        NodeSet& nodes) const {
  for (size_t i = SegmentOf(from); i < segments_.size(); ++i) {
    if (to && segments_[i].from >= *to) return;
    nodes.Add(segments_[i].place.node);
  }
}

NodeSet ShardMap::NodesForPrefix(std::string_view prefix) const {
  NodeSet nodes;
  AddNodes(prefix, BehindPrefix(prefix), nodes);
  return nodes;
}

NodeSet ShardMap::NodesFor(const SymbolSet& symbols) const {
  NodeSet nodes;
  for (const SymbolSet::Range& range : symbols.ranges()) AddNodes(range.from, range.to, nodes);
  return nodes;
}

NodeSet ShardMap::NodesForRange(std::optional<SymbolSet::Bound> low,
                                std::optional<SymbolSet::Bound> high) const {
  return NodesFor(SymbolSet::Between(low, high));
}

std::optional<NodeId> ShardMap::Find(std::string_view node) const {
  const auto found = std::find(nodes_.begin(), nodes_.end(), node);
  if (found == nodes_.end()) return std::nullopt;
  return static_cast<NodeId>(found - nodes_.begin());
}

std::vector<std::string> ShardMap::NamesOf(const NodeSet& nodes) const {
  std::vector<std::string> names;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes.Has(static_cast<NodeId>(node))) names.push_back(nodes_[node]);
  }
  return names;
}

TablePlace ShardMap::PlaceOf(const QualifiedName& table) const {
  for (const config::ListedTable& listed : source_.sharded) {
    if (Means(listed, table)) return {Placement::kSharded, listed.column};
  }
  for (const config::ListedTable& listed : source_.replicated) {
    if (Means(listed, table)) return {Placement::kReplicated, {}};
  }
  return {};
}

bool ShardMap::Lists(std::string_view name) const {
  const auto named = [name](const config::ListedTable& listed) { return listed.name == name; };
  return std::any_of(source_.sharded.begin(), source_.sharded.end(), named) ||
         std::any_of(source_.replicated.begin(), source_.replicated.end(), named);
}

}  // namespace pgweir::router
