#include "router/route_builder.h"

#include <algorithm>
#include <optional>

#include <spdlog/fmt/fmt.h>
#include "router/text_types.h"

namespace pgweir::router {
namespace {

constexpr int kMaxDepth = 100;
constexpr int kMaxBlocks = 500;

}  // namespace

const NameScope& NoNames() {
  static const NameScope none = [] {
    NameScope scope;
    scope.opaque = true;
    return scope;
  }();
  return none;
}

RouteTemplate RouteBuilder::Build(const QueryShape& shape) {
  whole_ = &shape;
  Block block = Resolve(shape, nullptr);
  template_.no_concat = !block.never.empty() ? block.never : block.spread;
  if (template_.writes) template_.no_concat = "it writes";
  if ((shape.features & QueryShape::kOrders) != 0 && template_.no_concat.empty()) {
    template_.no_concat = "it has an ORDER BY";
  }
  if (shape.kind != QueryShape::Kind::kUnion && template_.no_concat.empty() &&
      !OneClass(block.leaves)) {
    template_.no_concat = "it joins sharded tables by something else than their symbols";
  }
  Finish();
  return std::move(template_);
}

RouteBuilder::Block RouteBuilder::Resolve(const QueryShape& shape, const NameScope* parent) {
  Block block;
  block.leaves = {Now(), Now()};
  if (rejected_) return block;
  if (++blocks_ > kMaxBlocks || ++depth_ > kMaxDepth) {
    Reject("statement has too many queries within queries to be routed by symbol",
           "Steer it to a node: /* pgweir: shard=NAME */");
    return block;
  }
  // What writes there, or refers to itself, is filtered by nothing outside.
  std::string never;
  for (const QueryShapeRef& cte : shape.ctes) {
    const Block inner = Resolve(*cte, &NoNames());
    if (inner.leaves.first != inner.leaves.second) {
      never = "a query of its WITH can't be divided";
    }
  }
  switch (shape.kind) {
    case QueryShape::Kind::kSelect:
      block = ResolveSelect(shape, parent);
      break;
    case QueryShape::Kind::kValues:
      block = ResolveValues(shape, parent);
      break;
    case QueryShape::Kind::kUnion:
    case QueryShape::Kind::kIntersect:
    case QueryShape::Kind::kExcept:
      block = ResolveSetOperation(shape, parent);
      break;
    case QueryShape::Kind::kInsert:
      block = ResolveInsert(shape, parent);
      break;
    default:
      block = ResolveWrite(shape, parent);
  }
  if (!never.empty()) block.never = never;
  --depth_;
  return block;
}

RouteBuilder::Block RouteBuilder::ResolveSelect(const QueryShape& shape, const NameScope* parent) {
  Block block;
  Frame frame;
  frame.scope.parent = parent;
  block.leaves.first = Now();
  for (const FromShape& from : shape.from) AddItem(from, frame);
  const Range own{block.leaves.first, Now()};
  ResolveQueries(shape, frame);
  Apply(shape.where, frame, {}, own);
  for (const FromShape& from : shape.from) FinishJoin(from, frame);
  block.leaves.second = own.second;
  block.spread = frame.spread;
  block.never = frame.never;
  CheckQueries(frame, block.never);
  AddOutput(shape, frame, block);
  CheckFeatures(shape, frame, block);
  // Those in expressions are joined to the query's own by CheckQueries, or it never is divided.
  return block;
}

void RouteBuilder::ResolveQueries(const QueryShape& shape, Frame& frame) {
  for (const QueryShapeRef& query : shape.queries) {
    frame.queries.push_back(Resolve(*query, &frame.scope));
  }
}

// A query in an expression sees all rows that it should when they are of the symbol of the row that
// it is computed for.
void RouteBuilder::CheckQueries(const Frame& frame, std::string& never) {
  for (const Block& query : frame.queries) {
    if (!query.never.empty()) never = query.never;
    const auto [first, last] = query.leaves;
    if (first == last) continue;
    if (!Correlated(query.leaves)) {
      never = "a query within it reads a sharded table of other symbols";
    }
  }
}

void RouteBuilder::AddOutput(const QueryShape& shape, const Frame& frame, Block& block) {
  const bool using_joins = !frame.scope.merged.empty() || frame.scope.natural || frame.scope.opaque;
  block.known = block.counted = true;
  for (const OutputColumn& output : shape.output) {
    switch (output.kind) {
      case OutputColumn::Kind::kStar:
        block.counted = block.counted && !using_joins;
        for (const NameScope::Item& item : frame.scope.items) {
          block.counted = block.counted && item.known;
          block.columns.insert(block.columns.end(), item.columns.begin(), item.columns.end());
        }
        break;
      case OutputColumn::Kind::kStarOf: {
        const NameScope::Item* found = nullptr;
        for (const NameScope::Item& item : frame.scope.items) {
          const std::string& name = item.alias.empty() ? item.name : item.alias;
          if (name == output.column.relation) found = &item;
        }
        block.counted = block.counted && found != nullptr && found->known && !frame.scope.opaque;
        if (found == nullptr) break;
        block.columns.insert(block.columns.end(), found->columns.begin(), found->columns.end());
        break;
      }
      case OutputColumn::Kind::kSpread:
        block.counted = false;
        break;
      default: {
        ScopeColumn& column = block.columns.emplace_back();
        if (output.kind == OutputColumn::Kind::kColumn) {
          const ScopeColumn* const source = frame.scope.Find(output.column);
          // Of a surrounding query's column there is nothing to restrict in here.
          if (source != nullptr) column = *source;
        } else if (output.kind == OutputColumn::Kind::kValue) {
          column.value = Kept(output.value);
        }
        column.name = output.name;
        block.known = block.known && !output.name.empty();
      }
    }
  }
  block.known = block.known && block.counted;
  const auto outside = [&](uint32_t occurrence) {
    return occurrence < block.leaves.first || occurrence >= block.leaves.second;
  };
  for (ScopeColumn& column : block.columns) {
    auto& sources = column.source.occurrences;
    if (std::any_of(sources.begin(), sources.end(), outside)) column.source.pushable = false;
  }
}

bool RouteBuilder::Aggregates(const QueryShape& shape) const {
  if ((shape.features & QueryShape::kAggregates) != 0) return true;
  return std::any_of(shape.functions.begin(), shape.functions.end(), [&](const std::string& name) {
    return catalog_ == nullptr || catalog_->IsAggregate(name);
  });
}

bool RouteBuilder::IsSymbol(const ScopeColumn* column, Range leaves) const {
  if (column == nullptr || column->nullable) return false;
  if (!column->source.single() || !column->source.pushable) return false;
  const uint32_t occurrence = column->source.occurrences[0];
  return occurrence >= leaves.first && occurrence < leaves.second;
}

// What a condition on its columns may pass through, and what may be computed shard by shard.
void RouteBuilder::CheckFeatures(const QueryShape& shape, const Frame& frame, Block& block) {
  const bool groups = (shape.features & QueryShape::kGroups) != 0 || Aggregates(shape);
  std::vector<const ScopeColumn*> keys;
  for (const ColumnName& name : shape.group_columns) keys.push_back(frame.scope.Find(name));
  const bool by_symbol = (shape.features & QueryShape::kGroupingSets) == 0 &&
                         std::any_of(keys.begin(), keys.end(), [&](const ScopeColumn* key) {
                           return IsSymbol(key, block.leaves);
                         });
  const bool has_symbol =
      std::any_of(block.columns.begin(), block.columns.end(),
                  [&](const ScopeColumn& column) { return IsSymbol(&column, block.leaves); });
  constexpr uint32_t kBars = QueryShape::kLimits | QueryShape::kWindow | QueryShape::kDistinctOn |
                             QueryShape::kGroupingSets;
  const auto is_key = [&](const ScopeColumn& column) {
    return std::any_of(keys.begin(), keys.end(), [&](const ScopeColumn* key) {
      return key != nullptr && key->source.occurrences == column.source.occurrences;
    });
  };
  const auto bar = [&](std::string_view what) {
    if (block.spread.empty()) block.spread = fmt::format("it has {}", what);
  };
  if ((shape.features & QueryShape::kDistinct) != 0 && !has_symbol) bar("a DISTINCT");
  if ((shape.features & QueryShape::kDistinctOn) != 0) bar("a DISTINCT ON");
  if ((shape.features & QueryShape::kGroupingSets) != 0) bar("grouping sets");
  if (groups && !by_symbol) {
    bar(shape.group_columns.empty() ? "an aggregate of all rows" : "a GROUP BY without the symbol");
  }
  if ((shape.features & QueryShape::kLimits) != 0) bar("a LIMIT or OFFSET");
  if ((shape.features & QueryShape::kWindow) != 0) bar("a window function");
  if ((shape.features & QueryShape::kLocks) != 0) block.never = "it locks rows";
  if ((shape.features & QueryShape::kInto) != 0) block.never = "it makes a table";
  for (const std::string& function : shape.functions) {
    const Volatility* const volatility =
        catalog_ ? catalog_->VolatilityOf({"", function}) : nullptr;
    if (volatility == nullptr || *volatility == Volatility::kVolatile) {
      block.never = fmt::format("it calls the volatile function {}", function);
    }
  }
  for (ScopeColumn& column : block.columns) {
    const bool passes = (shape.features & kBars) == 0 && (!groups || is_key(column));
    column.source.pushable = column.source.pushable && passes;
  }
}

RouteBuilder::Block RouteBuilder::ResolveSetOperation(const QueryShape& shape,
                                                      const NameScope* parent) {
  const uint32_t first = Now();
  Block left = Resolve(*shape.arms[0], parent);
  const Block right = Resolve(*shape.arms[1], parent);
  Block block;
  block.leaves = {first, Now()};
  block.counted = left.counted && right.counted && left.columns.size() == right.columns.size();
  block.known = block.counted && left.known;
  for (size_t i = 0; i < left.columns.size() && block.counted; ++i) {
    ScopeColumn column;
    column.name = left.columns[i].name;
    if (left.columns[i].type == right.columns[i].type) column.type = left.columns[i].type;
    column.nullable = left.columns[i].nullable || right.columns[i].nullable;
    const SymbolSource& a = left.columns[i].source;
    const SymbolSource& b = right.columns[i].source;
    column.source.occurrences = a.occurrences;
    column.source.occurrences.insert(column.source.occurrences.end(), b.occurrences.begin(),
                                     b.occurrences.end());
    column.source.pushable = a.pushable && b.pushable &&
                             (shape.features & QueryShape::kLimits) == 0 &&
                             KeepsBlanks(left.columns[i], right.columns[i]);
    column.source.complete =
        a.complete && b.complete && !a.occurrences.empty() && !b.occurrences.empty();
    block.columns.push_back(std::move(column));
  }
  const bool appends = shape.kind == QueryShape::Kind::kUnion && shape.all;
  const auto of_shards = [this](const Block& arm) {
    return arm.leaves.first != arm.leaves.second && OneClass(arm.leaves);
  };
  block.never = !left.never.empty() ? left.never : right.never;
  if (!left.spread.empty()) block.spread = left.spread;
  if (!right.spread.empty()) block.spread = right.spread;
  if (!appends) block.spread = "it has a UNION, INTERSECT or EXCEPT of rows";
  if (!of_shards(left) || !of_shards(right)) block.spread = "it has a UNION ALL with other rows";
  if ((shape.features & QueryShape::kLimits) != 0) block.spread = "it has a LIMIT or OFFSET";
  if ((shape.features & QueryShape::kLocks) != 0) block.never = "it locks rows";
  return block;
}

// Whether what is true of the one column made of both is true of the texts that they hold: as a
// char(n) they would compare without the blanks at their end.
bool RouteBuilder::KeepsBlanks(const ScopeColumn& left, const ScopeColumn& right) const {
  bool text = false, varchar = false, padded = false;
  for (const ScopeColumn* const column : {&left, &right}) {
    // A literal becomes what the other is.
    const bool literal = column->value && (column->value->kind == ShapeValue::Kind::kLiteral ||
                                           column->value->kind == ShapeValue::Kind::kNull);
    if (literal) continue;
    text = text || column->type == kTextOid;
    varchar = varchar || column->type == kVarcharOid;
    padded = padded || (column->type != kTextOid && column->type != kVarcharOid);
  }
  // Beside a text a char(n) becomes one, beside a varchar it may be the other way round.
  return !padded || text || !varchar;
}

RouteBuilder::Block RouteBuilder::ResolveValues(const QueryShape& shape, const NameScope* parent) {
  Block block;
  Frame frame;
  frame.scope.parent = parent;
  block.leaves = {Now(), Now()};
  ResolveQueries(shape, frame);
  CheckQueries(frame, block.never);
  block.known = block.counted = (shape.features & QueryShape::kSpreadRows) == 0;
  const size_t columns = shape.rows.empty() ? 0 : shape.rows[0].size();
  for (size_t i = 0; i < columns; ++i) {
    ScopeColumn& column = block.columns.emplace_back();
    column.name = fmt::format("column{}", i + 1);
    if (shape.rows.size() == 1 && shape.rows[0][i].kind != ShapeValue::Kind::kOther) {
      column.value = Kept(shape.rows[0][i]);
    }
  }
  return block;
}

void RouteBuilder::Elsewhere(Plan::Why why, std::string_view name) {
  if (template_.elsewhere != Plan::Why::kNone) return;
  template_.elsewhere = why;
  template_.elsewhere_name = name;
}

void RouteBuilder::Reject(std::string message, std::string hint) {
  if (rejected_) return;
  rejected_ = true;
  template_.fixed = true;
  template_.plan = Plan();
  template_.plan.message = std::move(message);
  template_.plan.hint = std::move(hint);
}

}  // namespace pgweir::router
