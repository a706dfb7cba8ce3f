// What stands in FROM: the tables behind its names, and the columns that it brings in.

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include "router/route_builder.h"
#include "router/view_shape.h"

namespace pgweir::router {
namespace {

constexpr int kMaxAncestors = 100;

}  // namespace

void RouteBuilder::AddItem(const FromShape& from, Frame& frame) {
  if (rejected_) return;
  if (from.sampled) frame.never = "it takes a sample";
  NameScope::Item item;
  item.name = from.name;
  item.alias = from.alias;
  switch (from.kind) {
    case FromShape::Kind::kJoin:
      return AddJoin(from, frame);
    case FromShape::Kind::kRelation:
      return AddRelation(from, frame);
    case FromShape::Kind::kSeries:
      item.known = true;
      item.columns.push_back({!from.column_aliases.empty() ? from.column_aliases[0]
                              : !from.alias.empty()        ? from.alias
                                                           : from.name,
                              {},
                              {},
                              0});
      break;
    case FromShape::Kind::kOpaque:
      break;
    case FromShape::Kind::kQuery: {
      const NameScope* const around = from.cte       ? &NoNames()
                                      : from.lateral ? &frame.scope
                                                     : frame.scope.parent;
      Block block = Resolve(*from.query, around);
      item.columns = std::move(block.columns);
      item.known = block.known;
      Rename(from.column_aliases, block.counted, item);
      if (!block.never.empty()) frame.never = block.never;
      // Each row of what is beside it has a query of its own, of the same symbol.
      const bool empty = block.leaves.first == block.leaves.second;
      const bool correlated = !empty && from.lateral && Correlated(block.leaves);
      // One only: through it two of those around it don't become each other's.
      if (correlated) JoinClasses(block.leaves.first, *OuterOf(block.leaves));
      if (!block.spread.empty() && !empty && !correlated) frame.spread = block.spread;
      break;
    }
  }
  frame.scope.items.push_back(std::move(item));
}

// The server lets a list of aliases be shorter than the columns; a longer one is its error.
void RouteBuilder::Rename(const std::vector<std::string>& names, bool counted,
                          NameScope::Item& item) {
  if (names.empty()) return;
  if (!counted) item.columns.clear();
  item.known = counted && (item.known || names.size() == item.columns.size());
  for (size_t i = 0; i < names.size() && i < item.columns.size(); ++i) {
    item.columns[i].name = names[i];
  }
}

void RouteBuilder::AddJoin(const FromShape& from, Frame& frame) {
  Join join;
  join.begin = frame.scope.items.size();
  join.first = Now();
  AddItem(from.sides[0], frame);
  join.middle = frame.scope.items.size();
  join.between = Now();
  AddItem(from.sides[1], frame);
  join.end = frame.scope.items.size();
  join.last = Now();
  for (const std::string& name : from.merged) {
    const int left = frame.scope.ItemWith(name, {join.begin, join.middle});
    const int right = frame.scope.ItemWith(name, {join.middle, join.end});
    join.merged.emplace_back(left, right);
    frame.scope.merged[name] = Merged(from, name, left, right, frame);
  }
  frame.joins.emplace(&from, std::move(join));
  if (from.natural) frame.scope.natural = true;
  if (from.hides_names) frame.scope.opaque = true;
}

// The item whose column USING goes on with. Of an inner join both sides are equal, so that the more
// telling one stands for both.
int RouteBuilder::Merged(const FromShape& from, const std::string& name, int left, int right,
                         const Frame& frame) const {
  using enum FromShape::Join;
  const auto column = [&](int item) {
    return item < 0 ? nullptr : frame.scope.items[static_cast<size_t>(item)].Column(name);
  };
  const ScopeColumn* const a = column(left);
  const ScopeColumn* const b = column(right);
  const auto holds_symbol = [](const ScopeColumn* of) {
    return of != nullptr && !of->source.occurrences.empty();
  };
  const bool take_right =
      from.join == kRight || (from.join == kInner && !holds_symbol(a) && holds_symbol(b));
  if (from.join == kFull) return -1;
  if (!take_right) return left;
  // Its values become of the left one's type.
  const bool may_take = a != nullptr && b != nullptr && KeepsBlanks(*a, *b);
  return may_take ? right : from.join == kRight ? -1 : left;
}

void RouteBuilder::AddRelation(const FromShape& from, Frame& frame) {
  const auto named = Lookup({from.schema, from.name});
  if (!named) return;
  if (named->relation && named->relation->kind == 'v') {
    return AddView(from, *named->relation, frame);
  }
  if (named->system) Elsewhere(Plan::Why::kSystem, from.name);
  AddTable(from, named->place, named->relation, frame);
  if (named->place.placement == Placement::kUnlisted && !named->system) {
    Elsewhere(Plan::Why::kUnlisted, from.name);
  }
}

void RouteBuilder::AddTable(const FromShape& from, const TablePlace& place,
                            const CatalogRelation* relation, Frame& frame) {
  NameScope::Item item;
  item.schema = from.schema;
  item.name = from.name;
  item.alias = from.alias;
  item.known = relation != nullptr;
  if (relation != nullptr) {
    for (const CatalogColumn& column : relation->columns) {
      item.columns.push_back({column.name, {}, {}, column.type});
    }
  }
  if (place.placement == Placement::kReplicated) reads_replicated_ = true;
  if (place.placement == Placement::kSharded) {
    if (relation == nullptr) item.columns.push_back({std::string(place.column), {}, {}, 0});
    RouteTemplate::Occurrence occurrence;
    occurrence.table = from.name;
    const CatalogColumn* found = nullptr;
    for (size_t i = 0; i < item.columns.size(); ++i) {
      if (item.columns[i].name != place.column) continue;
      item.columns[i].source.occurrences = {Now()};
      if (relation != nullptr) found = &relation->columns[i];
    }
    occurrence.column = ColumnFor(found);
    occurrence.comparable = relation == nullptr || IsComparable(found);
    classes_.push_back(Now());
    template_.occurrences.push_back(std::move(occurrence));
  }
  Rename(from.column_aliases, relation != nullptr, item);
  frame.scope.items.push_back(std::move(item));
}

// A view is the query that defines it.
void RouteBuilder::AddView(const FromShape& from, const CatalogRelation& view, Frame& frame) {
  const ViewShape shape = ReadView(view.definition);
  if (shape.query == nullptr) {
    return Reject(fmt::format("definition of the view \"{}\" is not understood", from.name),
                  "Steer the statement to a node: /* pgweir: shard=NAME */");
  }
  const auto* const outer = std::exchange(view_literals_, &shape.literals);
  Block block = Resolve(*shape.query, &NoNames());
  view_literals_ = outer;
  NameScope::Item item;
  item.schema = from.schema;
  item.name = from.name;
  item.alias = from.alias;
  item.columns = std::move(block.columns);
  item.known = block.counted && item.columns.size() == view.columns.size();
  for (size_t i = 0; i < view.columns.size() && item.known; ++i) {
    item.columns[i].name = view.columns[i].name;
    item.columns[i].type = view.columns[i].type;
  }
  if (!item.known) item.columns.clear();
  Rename(from.column_aliases, item.known, item);
  if (!block.never.empty()) frame.never = block.never;
  if (!block.spread.empty() && block.leaves.first != block.leaves.second) {
    frame.spread = block.spread;
  }
  frame.scope.items.push_back(std::move(item));
}

std::optional<RouteBuilder::Named> RouteBuilder::Lookup(const QualifiedName& name) {
  Named named;
  const auto candidates = catalog_ ? catalog_->Find(name) : std::vector<const CatalogRelation*>();
  if (candidates.empty()) {
    named.system = name.schema.empty()
                       ? name.name.starts_with("pg_")
                       : name.schema == "pg_catalog" || name.schema == "information_schema";
    named.place = map_.PlaceOf(name);
    const bool vague = name.schema.empty() && named.place.placement == Placement::kUnlisted &&
                       map_.Lists(name.name);
    if (!vague) return named;
  } else {
    named.place = PlaceOf(*candidates[0]);
    named.relation = candidates.size() == 1 ? candidates[0] : nullptr;
    const bool alike =
        candidates.size() == 1 ||
        std::all_of(candidates.begin(), candidates.end(), [&](const CatalogRelation* other) {
          return other->kind != 'v' && PlaceOf(*other) == named.place;
        });
    if (alike) return named;
  }
  Reject(fmt::format("table name \"{}\" means tables in several schemas that the shard map treats "
                     "differently",
                     name.name),
         "Write its schema.");
  return std::nullopt;
}

// A partition is where its parent is.
TablePlace RouteBuilder::PlaceOf(const CatalogRelation& relation, int depth) const {
  TablePlace place = map_.PlaceOf(relation.name);
  if (place.placement != Placement::kUnlisted || depth > kMaxAncestors) return place;
  for (const uint32_t parent : relation.parents) {
    place = PlaceOf(catalog_->relations()[parent], depth + 1);
    if (place.placement != Placement::kUnlisted) return place;
  }
  return place;
}

}  // namespace pgweir::router
