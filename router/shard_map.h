#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/shard_map.h"
#include "router/node_set.h"
#include "router/statement_facts.h"
#include "router/symbol_set.h"

namespace pgweir::router {

// What a listed table is; any other lies on the node of the pattern "*".
enum class Placement : uint8_t { kUnlisted, kSharded, kReplicated };

struct TablePlace {
  Placement placement = Placement::kUnlisted;
  std::string_view column;  // that holds the symbol of a sharded table; lives as long as the map
  bool operator==(const TablePlace&) const = default;
};

class ShardMap;
using ShardMapRef = std::shared_ptr<const ShardMap>;

// A pattern's place among those of its map (config::ShardMap::patterns).
using PatternId = uint32_t;
inline constexpr PatternId kNoPattern = UINT32_MAX;

// The shard map made ready for being asked. Immutable, shared between threads. Every question which
// node holds what ends in NodeFor's table, whoever asks: a statement, a hint, the console.
class ShardMap {
 public:
  // `nodes` are the database's, at most NodeSet::kMaxNodes; each node of the map is among them.
  static ShardMapRef Compile(const config::ShardMap& map, std::span<const std::string> nodes);

  // Where a symbol lies, and by which pattern.
  struct Place {
    NodeId node = 0;
    PatternId pattern = kNoPattern;
    bool operator==(const Place&) const = default;
  };
  Place PlaceFor(std::string_view symbol) const { return segments_[SegmentOf(symbol)].place; }
  NodeId NodeFor(std::string_view symbol) const { return PlaceFor(symbol).node; }
  NodeSet NodesForPrefix(std::string_view prefix) const;
  NodeSet NodesFor(const SymbolSet& symbols) const;
  NodeSet NodesForRange(std::optional<SymbolSet::Bound> low,
                        std::optional<SymbolSet::Bound> high) const;
  // Those that may hold a symbol at all.
  const NodeSet& all_nodes() const { return all_nodes_; }
  // Of what is not listed.
  NodeId default_node() const { return default_node_; }
  // "*".
  PatternId default_pattern() const { return default_pattern_; }
  // The first that leads to the node; kNoPattern when none does.
  PatternId FirstPatternOf(NodeId node) const { return first_patterns_[node]; }

  const std::vector<std::string>& nodes() const { return nodes_; }
  const std::string& NameOf(NodeId node) const { return nodes_[node]; }
  std::optional<NodeId> Find(std::string_view node) const;
  // In their order.
  std::vector<std::string> NamesOf(const NodeSet& nodes) const;

  TablePlace PlaceOf(const QualifiedName& table) const;
  // Whether a table of that name is listed, in whatever schema.
  bool Lists(std::string_view name) const;
  const config::ShardMap& source() const { return source_; }

 private:
  // The symbols from here to the next segment's have one place.
  struct Segment {
    std::string from;
    Place place;
  };

  explicit ShardMap(const config::ShardMap& map) : source_(map) {}
  size_t SegmentOf(std::string_view symbol) const;
  void AddNodes(std::string_view from, const std::optional<std::string>& to, NodeSet& nodes) const;

  config::ShardMap source_;
  std::vector<std::string> nodes_;
  std::vector<Segment> segments_;  // never empty; the first is from ""
  NodeSet all_nodes_;
  NodeId default_node_ = 0;
  PatternId default_pattern_ = kNoPattern;
  std::vector<PatternId> first_patterns_;  // by node
};

}  // namespace pgweir::router
