// INSERT, UPDATE, DELETE and MERGE, and what is left to do when a whole statement is resolved.

#include <algorithm>

#include <spdlog/fmt/fmt.h>
#include "router/route_builder.h"
#include "router/text_types.h"

namespace pgweir::router {
namespace {

constexpr const char* kColumnList = "Name the columns of the INSERT, and give the symbol's.";

}  // namespace

RouteBuilder::Block RouteBuilder::ResolveWrite(const QueryShape& shape, const NameScope* parent) {
  Block block;
  Frame frame;
  frame.scope.parent = parent;
  block.leaves.first = Now();
  if (!shape.from.empty() && !Target(shape.from[0])) return block;
  for (const FromShape& from : shape.from) AddItem(from, frame);
  if (rejected_ || frame.scope.items.empty()) return block;
  const Range own{block.leaves.first, Now()};
  ResolveQueries(shape, frame);
  Apply(shape.where, frame, {}, own);
  for (const FromShape& from : shape.from) FinishJoin(from, frame);
  StoreAssignments(shape, frame.scope.items[0]);
  CheckAssignedDefaults(shape);
  block.leaves.second = own.second;
  block.never = "it writes";
  return block;
}

// Looks at what is written. False when that is refused.
bool RouteBuilder::Target(const FromShape& target) {
  const auto named = Lookup({target.schema, target.name});
  if (!named) return false;
  if (named->place.placement == Placement::kReplicated) {
    Reject(
        fmt::format("writing to the replicated table \"{}\" needs two-phase commit, which is not "
                    "served yet",
                    target.name),
        "Write to it on each node by itself: /* pgweir: shard=NAME */");
    return false;
  }
  if (named->place.placement == Placement::kSharded) template_.writes = true;
  if (named->relation && named->relation->kind == 'v') template_.writes = true;
  return true;
}

RouteBuilder::Block RouteBuilder::ResolveInsert(const QueryShape& shape, const NameScope* parent) {
  (void)parent;
  Block block;
  block.leaves = {Now(), Now()};
  block.never = "it writes";
  if (shape.from.empty() || !Target(shape.from[0])) return block;
  const FromShape& target = shape.from[0];
  const auto named = Lookup({target.schema, target.name});
  for (const QueryShapeRef& query : shape.queries) Resolve(*query, &NoNames());
  std::optional<Block> source;
  if (!shape.arms.empty()) source = Resolve(*shape.arms[0], &NoNames());
  block.leaves.second = Now();
  if (rejected_) return block;
  if (named->relation && named->relation->kind == 'v') {
    InsertIntoView(target);
    return block;
  }
  if (named->place.placement != Placement::kSharded) {
    Elsewhere(named->system ? Plan::Why::kSystem : Plan::Why::kUnlisted, target.name);
    return block;
  }
  template_.stored_table = target.name;
  const auto position = SymbolPosition(shape, *named);
  if (!position) return block;
  if (source) {
    StoreQuery(*source, *position);
  } else {
    StoreRows(shape, *position);
  }
  for (const Assignment& assignment : shape.assignments) {
    if (assignment.column == named->place.column && !assignment.excluded) {
      StoreValue(assignment.value);
    }
  }
  CheckDefaults(shape, source ? std::optional(source->columns.size()) : std::nullopt);
  CheckAssignedDefaults(shape);
  return block;
}

// Whether a view's rows are of sharded tables is seen when it is resolved like any item of FROM.
void RouteBuilder::InsertIntoView(const FromShape& target) {
  Frame frame;
  const uint32_t before = Now();
  AddItem(target, frame);
  if (Now() == before && !reads_replicated_) return;
  Reject(fmt::format("INSERT into the view \"{}\" of a sharded or replicated table", target.name),
         "Insert into the table itself.");
}

// Where the symbol stands in a row to be inserted.
std::optional<size_t> RouteBuilder::SymbolPosition(const QueryShape& shape, const Named& named) {
  const std::string_view symbol = named.place.column;
  const CatalogColumn* type = nullptr;
  std::vector<std::string> columns = shape.columns;
  if (named.relation != nullptr) {
    for (const CatalogColumn& column : named.relation->columns) {
      if (column.name == symbol) type = &column;
      if (shape.columns.empty()) columns.push_back(column.name);
    }
  }
  if (named.relation != nullptr && (type == nullptr || !IsTextType(type->type))) {
    Reject(fmt::format("column \"{}\" of the sharded table \"{}\" is not of type text, varchar or "
                       "char(n)",
                       symbol, shape.from[0].name),
           "Divide the table by another column.");
    return std::nullopt;
  }
  template_.stored_in = ColumnFor(type);
  if (columns.empty()) {
    Reject(fmt::format("columns of the sharded table \"{}\" are not known", shape.from[0].name),
           kColumnList);
    return std::nullopt;
  }
  const auto found = std::find(columns.begin(), columns.end(), symbol);
  if (found == columns.end()) {
    Reject(fmt::format("rows for the sharded table \"{}\" have no value for \"{}\"",
                       shape.from[0].name, symbol),
           "A row belongs to the shard of its symbol.");
    return std::nullopt;
  }
  return static_cast<size_t>(found - columns.begin());
}

void RouteBuilder::StoreRows(const QueryShape& shape, size_t position) {
  // DEFAULT VALUES has none.
  if (shape.rows.empty()) return StoreValue({});
  for (const auto& row : shape.rows) {
    StoreValue(position < row.size() ? row[position] : ShapeValue());
  }
}

void RouteBuilder::StoreQuery(const Block& source, size_t position) {
  if (!source.counted || position >= source.columns.size()) return StoreValue({});
  const ScopeColumn& column = source.columns[position];
  // A symbol of a sharded table that is read: its node is one that the table is read on.
  if (column.source.complete && !column.source.occurrences.empty() && !column.nullable) {
    if (template_.stored_in.type != SymbolColumn::Type::kText) {
      stored_from_ = column.source.occurrences;
    }
    return;
  }
  template_.stored.push_back(column.value.value_or(ShapeValue()));
  CheckStored(template_.stored.back());
}

void RouteBuilder::StoreValue(const ShapeValue& value) {
  template_.stored.push_back(Kept(value));
  CheckStored(value);
}

void RouteBuilder::CheckStored(const ShapeValue& value) {
  if (value.kind == ShapeValue::Kind::kNull || value.kind == ShapeValue::Kind::kDefault) {
    return Reject(
        fmt::format("a row of the sharded table \"{}\" has no symbol", template_.stored_table),
        "Give each row a symbol that is a constant or a parameter.");
  }
  if (value.kind == ShapeValue::Kind::kOther) {
    Reject(fmt::format("symbol of a row of the sharded table \"{}\" can't be told beforehand",
                       template_.stored_table),
           "Give each row a symbol that is a constant or a parameter, and no cast that may change "
           "it.");
  }
}

void RouteBuilder::StoreAssignments(const QueryShape& shape, const NameScope::Item& target) {
  for (const Assignment& assignment : shape.assignments) {
    const ScopeColumn* const column = target.Column(assignment.column);
    const bool symbol = column != nullptr && !column->source.occurrences.empty();
    if (!symbol) continue;
    const RouteTemplate::Occurrence& of = template_.occurrences[column->source.occurrences[0]];
    template_.stored_table = of.table;
    template_.stored_in = of.column;
    StoreValue(of.comparable ? assignment.value : ShapeValue());
  }
}

bool RouteBuilder::ReadsListed(const CatalogRelation& view) {
  Frame frame;
  FromShape item;
  item.kind = FromShape::Kind::kRelation;
  item.schema = view.name.schema;
  item.name = view.name.name;
  AddView(item, view, frame);
  return rejected_ || Now() > 0 || reads_replicated_;
}

// Follows the filters to whatever they filter in turn.
void RouteBuilder::Finish() {
  if (rejected_) return;
  const uint32_t count = Now();
  for (uint32_t occurrence = 0; occurrence < count; ++occurrence) {
    std::vector<bool> reached(count, false);
    std::vector<uint32_t> group = {occurrence};
    reached[occurrence] = true;
    for (size_t next = 0; next < group.size(); ++next) {
      for (const auto& [from, to] : flows_) {
        if (to != group[next] || reached[from]) continue;
        reached[from] = true;
        group.push_back(from);
      }
    }
    std::erase_if(group, [this](uint32_t i) { return template_.occurrences[i].filters.empty(); });
    std::sort(group.begin(), group.end());
    if (std::find(stored_from_.begin(), stored_from_.end(), occurrence) != stored_from_.end()) {
      template_.stored_from.push_back(group);
    }
    if (group.empty()) {
      template_.unbounded = true;
    } else if (std::find(template_.groups.begin(), template_.groups.end(), group) ==
               template_.groups.end()) {
      template_.groups.push_back(std::move(group));
    }
  }
  if (count > 0 || !template_.stored.empty()) return;
  template_.fixed = true;
  Plan& plan = template_.plan;
  if (template_.elsewhere != Plan::Why::kNone) {
    plan.kind = Plan::Kind::kDefault;
    plan.why = template_.elsewhere;
    plan.node = map_.default_node();
    plan.nodes = NodeSet::Of(plan.node);
    return;
  }
  plan.kind = reads_replicated_ ? Plan::Kind::kReplicated : Plan::Kind::kAnywhere;
  plan.why = reads_replicated_ ? Plan::Why::kReplicatedOnly : Plan::Why::kNoTable;
  plan.nodes = map_.all_nodes();
}

}  // namespace pgweir::router
