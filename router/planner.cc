#include "router/planner.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace pgweir::router {
namespace {

using State = BoundValues::Text::State;

constexpr const char* kOneShard =
    "Restrict it to symbols of one shard by constants or parameters, or steer it: "
    "/* pgweir: shard=NAME */";

Plan Reject(std::string message, std::string hint) {
  Plan plan;
  plan.message = std::move(message);
  plan.hint = std::move(hint);
  return plan;
}

// The only filter of the group when that is symbol = value.
const SymbolFilter* OnlyEqual(const RouteTemplate& route, const RouteTemplate::Group& group) {
  if (group.size() != 1) return nullptr;
  const RouteTemplate::Occurrence& occurrence = route.occurrences[group[0]];
  const bool plain =
      occurrence.filters.size() == 1 && occurrence.filters[0].kind == Predicate::Kind::kEqual;
  return plain ? &occurrence.filters[0] : nullptr;
}

SymbolSet SymbolsOf(const RouteTemplate& route, const RouteTemplate::Group& group,
                    const BoundValues& values) {
  SymbolSet symbols = SymbolSet::All();
  for (const uint32_t index : group) {
    const RouteTemplate::Occurrence& occurrence = route.occurrences[index];
    for (const SymbolFilter& filter : occurrence.filters) {
      symbols.Intersect(Symbols(filter, occurrence.column, values, route.constants));
    }
  }
  return symbols;
}

// What leads a statement to its nodes.
struct Lead {
  PatternId pattern = kNoPattern;  // of the first symbol
  std::string_view symbol;         // that, while there is no other; lives as long as the values
  bool one = true;                 // there isn't

  void By(std::string_view next, PatternId its_pattern) {
    if (pattern == kNoPattern) {
      pattern = its_pattern;
      symbol = next;
    } else {
      one = one && symbol == next;
    }
  }
};

NodeSet NodesOf(const RouteTemplate& route, const RouteTemplate::Group& group, const ShardMap& map,
                const BoundValues& values, Lead& lead) {
  if (const SymbolFilter* const equal = OnlyEqual(route, group)) {
    const BoundValues::Text text = values.TextOf(equal->values[0], route.constants);
    if (text.state == State::kNull) return {};
    if (text.state == State::kKnown && !text.padded && !text.text.ends_with(' ')) {
      const ShardMap::Place place = map.PlaceFor(text.text);
      lead.By(text.text, place.pattern);
      return NodeSet::Of(place.node);
    }
  }
  const SymbolSet symbols = SymbolsOf(route, group, values);
  lead.one = false;
  if (lead.pattern == kNoPattern && !symbols.ranges().empty()) {
    lead.pattern = map.PlaceFor(symbols.ranges()[0].from).pattern;
  }
  return map.NodesFor(symbols);
}

std::string Names(const NodeSet& nodes, const ShardMap& map) {
  return fmt::format("{}", fmt::join(map.NamesOf(nodes), ", "));
}

std::string Tables(const RouteTemplate& route) {
  return route.occurrences.empty() ? route.stored_table : route.occurrences[0].table;
}

// Adds the nodes of the symbols that are stored. The message of what is wrong with one, else "".
std::string AddStored(const RouteTemplate& route, const ShardMap& map, const BoundValues& values,
                      NodeSet& nodes, Lead& lead) {
  for (const RouteTemplate::Group& group : route.stored_from) {
    nodes |= map.NodesFor(StoredAs(SymbolsOf(route, group, values)));
  }
  for (const ShapeValue& value : route.stored) {
    const BoundValues::Text text = values.TextOf(value, route.constants);
    if (text.state == State::kNull) {
      return fmt::format("a row of the sharded table \"{}\" has no symbol", route.stored_table);
    }
    if (text.state == State::kUnknown) {
      return fmt::format("symbol of a row of the sharded table \"{}\" can't be told beforehand",
                         route.stored_table);
    }
    if (text.text.ends_with(' ')) {
      nodes |= map.NodesFor(StoredAs(text.text, route.stored_in));
    } else {
      const ShardMap::Place place = map.PlaceFor(text.text);
      lead.By(text.text, place.pattern);
      nodes.Add(place.node);
    }
  }
  return "";
}

Plan ToNode(NodeId node, const Lead& lead, Plan::Why why, const RouteTemplate& route) {
  Plan plan;
  plan.kind = Plan::Kind::kSingle;
  plan.why = why;
  plan.node = node;
  plan.nodes = NodeSet::Of(node);
  plan.pattern = lead.pattern;
  if (lead.one) plan.symbol = lead.symbol;
  plan.writes = route.writes;
  return plan;
}

// No row of a sharded table has an effect on it, so within a transaction it stays where that is.
Plan ToAny(const ShardMap& map, const RouteTemplate& route) {
  Plan plan;
  plan.kind = Plan::Kind::kReplicated;
  plan.why = Plan::Why::kNoSymbol;
  plan.nodes = map.all_nodes();
  plan.writes = route.writes;
  return plan;
}

// Something of the statement lies on the default node only, the rest on `nodes`.
Plan WithElsewhere(const RouteTemplate& route, const ShardMap& map, const NodeSet& nodes,
                   const Lead& lead) {
  if (nodes.Within(NodeSet::Of(map.default_node()))) {
    return ToNode(map.default_node(), lead, Plan::Why::kSymbols, route);
  }
  return Reject(
      fmt::format("\"{}\" lies on the node {}, but the rows of the sharded table \"{}\" on {}",
                  route.elsewhere_name, map.NameOf(map.default_node()), Tables(route),
                  Names(nodes, map)),
      "List the table as replicated in the shard map, or use two statements.");
}

Plan OverSeveral(const RouteTemplate& route, const ShardMap& map, const NodeSet& nodes) {
  if (route.writes) {
    return Reject(fmt::format("a write to the sharded table \"{}\" on several shards: {}",
                              Tables(route), Names(nodes, map)),
                  kOneShard);
  }
  if (!route.no_concat.empty()) {
    return Reject(fmt::format("a query of the sharded table \"{}\" on several shards ({}) can't be "
                              "answered: {}",
                              Tables(route), Names(nodes, map), route.no_concat),
                  kOneShard);
  }
  Plan plan;
  plan.kind = Plan::Kind::kConcat;
  plan.why = route.unbounded ? Plan::Why::kNoCondition : Plan::Why::kSymbols;
  plan.nodes = nodes;
  return plan;
}

bool IsParameter(const ShapeValue& value) { return value.kind == ShapeValue::Kind::kParameter; }

bool NamesParameter(const SymbolFilter& filter) {
  return std::any_of(filter.values.begin(), filter.values.end(), IsParameter) ||
         std::any_of(filter.parts.begin(), filter.parts.end(),
                     [](const SymbolFilter& part) { return NamesParameter(part); });
}

// Whether it depends on one where the statement goes.
bool NamesParameter(const RouteTemplate& route) {
  if (std::any_of(route.stored.begin(), route.stored.end(), IsParameter)) return true;
  for (const RouteTemplate::Occurrence& occurrence : route.occurrences) {
    for (const SymbolFilter& filter : occurrence.filters) {
      if (NamesParameter(filter)) return true;
    }
  }
  return false;
}

Plan PlanByValues(const RouteTemplate& route, const ShardMap& map, const BoundValues& values) {
  NodeSet nodes = route.unbounded ? map.all_nodes() : NodeSet();
  Lead lead;
  for (const RouteTemplate::Group& group : route.groups) {
    nodes |= NodesOf(route, group, map, values, lead);
  }
  if (!route.stored.empty() || !route.stored_from.empty()) {
    std::string fault = AddStored(route, map, values, nodes, lead);
    if (!fault.empty()) {
      return Reject(std::move(fault), "Give each row a symbol that is a constant or a parameter.");
    }
  }
  if (route.elsewhere != Plan::Why::kNone) return WithElsewhere(route, map, nodes, lead);
  if (nodes.empty()) return ToAny(map, route);
  if (nodes.size() > 1) return OverSeveral(route, map, nodes);
  const Plan::Why why = map.all_nodes().size() == 1 ? Plan::Why::kOneNode
                        : !route.stored.empty()     ? Plan::Why::kInserted
                        : route.occurrences.empty() ? Plan::Why::kInserted
                                                    : Plan::Why::kSymbols;
  return ToNode(nodes.first(), lead, why, route);
}

}  // namespace

std::optional<NodeSet> PossibleNodes(const RouteTemplate& route, const ShardMap& map,
                                     const BoundValues& values) {
  if (route.fixed || !NamesParameter(route)) return std::nullopt;
  if (route.elsewhere != Plan::Why::kNone) return std::nullopt;
  NodeSet nodes = route.unbounded ? map.all_nodes() : NodeSet();
  Lead lead;
  for (const RouteTemplate::Group& group : route.groups) {
    nodes |= NodesOf(route, group, map, values, lead);
  }
  if (!AddStored(route, map, values, nodes, lead).empty()) nodes = map.all_nodes();
  return nodes.size() > 1 ? std::optional(nodes) : std::nullopt;
}

Plan PlanStatement(const RouteTemplate& route, const ShardMap& map, const BoundValues& values) {
  if (route.fixed) return route.plan;
  Plan plan = PlanByValues(route, map, values);
  plan.elsewhere = route.elsewhere != Plan::Why::kNone;
  return plan;
}

Plan PlanStatement(const Facts& facts, size_t statement, const Catalog* catalog,
                   const ShardMap& map, const BoundValues& values) {
  return PlanStatement(MakeTemplate(facts, statement, catalog, map), map, values);
}

Plan Planner::Find(const FactsRef& facts, size_t statement, const BoundValues& values) {
  return PlanStatement(TemplateOf(facts, statement), *map_, values);
}

ListSplit Planner::Split(const FactsRef& facts, size_t statement, const BoundValues& values,
                         NodeId node) {
  return SplitLists(TemplateOf(facts, statement), *map_, values, node);
}

const RouteTemplate& Planner::TemplateOf(const FactsRef& facts, size_t statement) {
  auto found = templates_.find(facts.get());
  if (found == templates_.end()) {
    // Facts that nobody else has any more can't be asked for again.
    if (templates_.size() >= kMaxTemplates) {
      absl::erase_if(templates_,
                     [](const auto& entry) { return entry.second.facts.use_count() == 1; });
      if (templates_.size() >= kMaxTemplates) templates_.clear();
    }
    Entry entry{facts, {}};
    for (size_t i = 0; i < facts->statements.size(); ++i) {
      entry.templates.push_back(MakeTemplate(*facts, i, catalog_.get(), *map_));
    }
    found = templates_.emplace(facts.get(), std::move(entry)).first;
  }
  return found->second.templates[statement];
}

}  // namespace pgweir::router
