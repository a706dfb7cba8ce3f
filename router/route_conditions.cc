// Which conditions filter which occurrence of a sharded table, and which occurrences are joined by
// their symbols.

#include <algorithm>

#include "router/route_builder.h"
#include "router/text_types.h"
#include "router/view_shape.h"

namespace pgweir::router {
namespace {

using Kind = Predicate::Kind;

bool Within(uint32_t occurrence, std::pair<uint32_t, uint32_t> range) {
  return occurrence >= range.first && occurrence < range.second;
}

}  // namespace

// A condition with AND in it counts part by part. Whatever filters here is not true of a NULL, so
// it filters the nullable side of an outer join below it as well.
void RouteBuilder::Apply(const Predicate& predicate, const Frame& frame, NameScope::Range items,
                         Range leaves) {
  switch (predicate.kind) {
    case Kind::kAnything:
      return;
    case Kind::kAnd:
      for (const Predicate& part : predicate.parts) Apply(part, frame, items, leaves);
      return;
    case Kind::kSameColumn: {
      const ScopeColumn* const a = frame.scope.Find(predicate.column, items);
      const ScopeColumn* const b = frame.scope.Find(predicate.other, items);
      if (a != nullptr && b != nullptr) Equate(a->source, b->source, leaves);
      return;
    }
    case Kind::kInQuery: {
      const ScopeColumn* const column = frame.scope.Find(predicate.column, items);
      const auto index = static_cast<size_t>(predicate.query);
      if (column == nullptr || index >= frame.queries.size()) return;
      const Block& query = frame.queries[index];
      if (!query.counted || query.columns.size() != 1) return;
      const SymbolSource& found = query.columns[0].source;
      Flow(found, column->source, leaves);
      Flow(column->source, found, query.leaves);
      if (!column->source.single() || !found.single() || !found.pushable) return;
      const uint32_t outer = column->source.occurrences[0];
      const uint32_t inner = found.occurrences[0];
      if (!EqualByBytes(outer, inner)) return;
      if (Within(outer, leaves) && Within(inner, query.leaves)) links_.emplace_back(inner, outer);
      return;
    }
    default:
      ApplyFilter(predicate, frame.scope, items, leaves);
  }
}

void RouteBuilder::ApplyFilter(const Predicate& predicate, const NameScope& scope,
                               NameScope::Range items, Range leaves) {
  std::vector<uint32_t> occurrences;
  Mentioned(predicate, scope, items, occurrences);
  for (const uint32_t occurrence : occurrences) {
    RouteTemplate::Occurrence& filtered = template_.occurrences[occurrence];
    if (!Within(occurrence, leaves) || !filtered.comparable) continue;
    SymbolFilter filter = Simplified(Project(predicate, occurrence, scope, items));
    if (filter.kind != Kind::kAnything) filtered.filters.push_back(std::move(filter));
  }
}

void RouteBuilder::Mentioned(const Predicate& predicate, const NameScope& scope,
                             NameScope::Range items, std::vector<uint32_t>& occurrences) const {
  for (const Predicate& part : predicate.parts) Mentioned(part, scope, items, occurrences);
  if (predicate.values.empty() && predicate.kind != Kind::kIn) return;
  const ScopeColumn* const column = scope.Find(predicate.column, items);
  if (column == nullptr || !column->source.pushable) return;
  for (const uint32_t occurrence : column->source.occurrences) {
    if (std::find(occurrences.begin(), occurrences.end(), occurrence) == occurrences.end()) {
      occurrences.push_back(occurrence);
    }
  }
}

// What the predicate says of one occurrence's symbol.
SymbolFilter RouteBuilder::Project(const Predicate& predicate, uint32_t occurrence,
                                   const NameScope& scope, NameScope::Range items) {
  SymbolFilter filter;
  switch (predicate.kind) {
    case Kind::kAnything:
    case Kind::kSameColumn:
    case Kind::kInQuery:
      return filter;
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kNot:
      filter.kind = predicate.kind;
      for (const Predicate& part : predicate.parts) {
        filter.parts.push_back(Project(part, occurrence, scope, items));
      }
      return filter;
    default:
      break;
  }
  const ScopeColumn* const column = scope.Find(predicate.column, items);
  if (column == nullptr || !column->source.pushable) return filter;
  const auto& sources = column->source.occurrences;
  if (std::find(sources.begin(), sources.end(), occurrence) == sources.end()) return filter;
  filter.kind = predicate.kind;
  for (const ShapeValue& value : predicate.values) filter.values.push_back(Kept(value));
  const bool list = filter.kind == Kind::kIn || filter.kind == Kind::kInArray;
  filter.divisible = list && HoldsSymbolsOnly(column->source);
  return filter;
}

bool RouteBuilder::HoldsSymbolsOnly(const SymbolSource& source) const {
  const SymbolColumn& column = template_.occurrences[source.occurrences[0]].column;
  return source.complete && column.type != SymbolColumn::Type::kUnknown &&
         std::all_of(source.occurrences.begin(), source.occurrences.end(), [&](uint32_t index) {
           const RouteTemplate::Occurrence& occurrence = template_.occurrences[index];
           return occurrence.comparable && occurrence.column == column;
         });
}

// A view's literals are not the statement's.
ShapeValue RouteBuilder::Kept(const ShapeValue& value) {
  if (value.kind != ShapeValue::Kind::kLiteral || view_literals_ == nullptr) return value;
  ShapeValue kept;
  const auto index = static_cast<size_t>(value.index);
  if (index >= view_literals_->size() || (*view_literals_)[index] == kNoText) return kept;
  kept.kind = ShapeValue::Kind::kConstant;
  kept.index = static_cast<int>(template_.constants.size());
  template_.constants.push_back((*view_literals_)[index]);
  return kept;
}

void RouteBuilder::Equate(const SymbolSource& a, const SymbolSource& b, Range leaves) {
  Flow(a, b, leaves);
  Flow(b, a, leaves);
  if (!a.single() || !b.single() || !a.pushable || !b.pushable) {
    // A query around this one is not restricted by it, so how its column was made is all one.
    const bool outer_a = a.single() && !Within(a.occurrences[0], leaves);
    const bool outer_b = b.single() && !Within(b.occurrences[0], leaves);
    const bool links =
        (outer_a && b.single() && b.pushable) || (outer_b && a.single() && a.pushable);
    if (!links) return;
  }
  const uint32_t one = a.occurrences[0];
  const uint32_t other = b.occurrences[0];
  if (!EqualByBytes(one, other)) return;
  if (Within(one, leaves) && Within(other, leaves)) {
    JoinClasses(one, other);
  } else if (Within(one, leaves) || Within(other, leaves)) {
    links_.emplace_back(std::max(one, other), std::min(one, other));
  }
}

// A char(n) may also be equal to a text that has blanks at its end, and so lies elsewhere.
bool RouteBuilder::EqualByBytes(uint32_t one, uint32_t other) const {
  const RouteTemplate::Occurrence& a = template_.occurrences[one];
  const RouteTemplate::Occurrence& b = template_.occurrences[other];
  return a.comparable && b.comparable && a.column.ignores_blanks() == b.column.ignores_blanks();
}

// Rows of `to` matter only when their symbol is one of `from`'s.
void RouteBuilder::Flow(const SymbolSource& from, const SymbolSource& to, Range leaves) {
  if (!from.single() || !to.pushable) return;
  const uint32_t source = from.occurrences[0];
  for (const uint32_t target : to.occurrences) {
    if (!Within(target, leaves) || !EqualByBytes(source, target)) continue;
    flows_.emplace_back(source, target);
  }
}

// What ON says filters both sides of an inner join, of an outer one the side whose rows it may
// leave out. Rows of a side that is kept must find all of their partners on their own shard.
void RouteBuilder::FinishJoin(const FromShape& from, Frame& frame) {
  if (from.kind != FromShape::Kind::kJoin || rejected_) return;
  for (const FromShape& side : from.sides) FinishJoin(side, frame);
  const Join join = frame.joins.at(&from);
  const Range left{join.first, join.between};
  const Range right{join.between, join.last};
  const auto empty = [](Range range) { return range.first == range.second; };
  const bool swapped = from.join == FromShape::Join::kRight;
  const Range kept = swapped ? right : left;
  const Range optional = swapped ? left : right;
  const bool inner = from.join == FromShape::Join::kInner;
  const bool full = from.join == FromShape::Join::kFull;
  MarkNullable(from, join, frame);
  const bool kept_ok = inner || empty(optional) || (!empty(kept) && OneClass(kept));
  if (full && !(empty(left) && empty(right))) frame.spread = "it has a FULL JOIN";
  if (full) return;
  const Range filtered = inner ? Range{join.first, join.last} : optional;
  MergeColumns(from, join, frame, filtered);
  Apply(from.on, frame, {join.begin, join.end}, filtered);
  if (inner || empty(optional)) return;
  // The two sides, joined by a link: it leads from what is filtered to what is not.
  if (const auto outer = kept_ok ? LinkBetween(optional, kept) : std::nullopt) {
    JoinClasses(outer->first, outer->second);
  }
  if (!kept_ok || !OneClass({join.first, join.last})) {
    frame.spread = "it has an outer join of sharded tables by something else than their symbols";
  }
}

void RouteBuilder::MarkNullable(const FromShape& from, const Join& join, Frame& frame) {
  using enum FromShape::Join;
  const bool left = from.join == kRight || from.join == kFull;
  const bool right = from.join == kLeft || from.join == kFull;
  for (size_t i = join.begin; i < join.end; ++i) {
    if (i < join.middle ? !left : !right) continue;
    for (ScopeColumn& column : frame.scope.items[i].columns) column.nullable = true;
  }
}

// JOIN … USING: an ON of equal columns, which then are one.
void RouteBuilder::MergeColumns(const FromShape& from, const Join& join, Frame& frame,
                                Range filtered) {
  for (size_t i = 0; i < from.merged.size(); ++i) {
    const auto [a, b] = join.merged[i];
    if (a < 0 || b < 0) continue;
    const ColumnName name{"", "", from.merged[i]};
    const ScopeColumn* const left = frame.scope.items[static_cast<size_t>(a)].Column(name.column);
    const ScopeColumn* const right = frame.scope.items[static_cast<size_t>(b)].Column(name.column);
    if (left != nullptr && right != nullptr) Equate(left->source, right->source, filtered);
  }
}

bool RouteBuilder::OneClass(Range leaves) {
  for (uint32_t leaf = leaves.first; leaf < leaves.second; ++leaf) {
    if (Class(leaf) != Class(leaves.first)) return false;
  }
  return true;
}

std::optional<std::pair<uint32_t, uint32_t>> RouteBuilder::LinkBetween(Range a, Range b) const {
  for (const auto& link : links_) {
    if (Within(link.first, a) && Within(link.second, b)) return link;
    if (Within(link.first, b) && Within(link.second, a)) return link;
  }
  return std::nullopt;
}

std::optional<uint32_t> RouteBuilder::OuterOf(Range leaves) const {
  for (const auto& [inner, outer] : links_) {
    if (Within(inner, leaves) && outer < leaves.first) return outer;
  }
  return std::nullopt;
}

bool RouteBuilder::Correlated(Range leaves) {
  return OneClass(leaves) && OuterOf(leaves).has_value();
}

uint32_t RouteBuilder::Class(uint32_t occurrence) {
  while (classes_[occurrence] != occurrence) occurrence = classes_[occurrence];
  return occurrence;
}

SymbolColumn RouteBuilder::ColumnFor(const CatalogColumn* column) {
  SymbolColumn result;
  if (column == nullptr) return result;
  result.type = column->type == kTextOid      ? SymbolColumn::Type::kText
                : column->type == kVarcharOid ? SymbolColumn::Type::kVarchar
                : column->type == kBpcharOid  ? SymbolColumn::Type::kBpchar
                                              : SymbolColumn::Type::kUnknown;
  result.byte_order = column->order == CatalogColumn::Order::kBytes;
  return result;
}

bool RouteBuilder::IsComparable(const CatalogColumn* column) {
  return column != nullptr && IsTextType(column->type) &&
         column->order != CatalogColumn::Order::kUnknown;
}

}  // namespace pgweir::router
