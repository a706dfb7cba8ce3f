#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What routing needs to know of a query, kept after its tree is gone. It says nothing of the
// catalog or the shard map, so it belongs to the facts that texts share: names are as written,
// values are places of literals and parameters.

namespace pgweir::router {

// A value that a column may be compared with.
struct ShapeValue {
  // kConstant: index is of a text that whoever resolves the shape keeps.
  enum class Kind : uint8_t { kOther, kLiteral, kParameter, kNull, kDefault, kConstant };
  Kind kind = Kind::kOther;
  bool cast = false;      // to text or varchar, or to an array of them
  bool repeated = false;  // the parameter stands elsewhere in the text, too
  int index = 0;          // of the literal among the text's; the parameter's number, 1 for $1
};

// [[schema.]relation.]column
struct ColumnName {
  std::string schema, relation, column;
  bool operator==(const ColumnName&) const = default;
};

// A condition as far as routing understands it. What it doesn't is kAnything.
struct Predicate {
  enum class Kind : uint8_t {
    kAnything,
    kAnd,
    kOr,
    kNot,
    kEqual,
    kIn,          // any of the values
    kInArray,     // = ANY (an array)
    kLike,        // a LIKE pattern with \ as its escape
    kStartsWith,  // ^@, starts_with
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kSameColumn,  // column = other
    kInQuery,     // column IN (a query with one column)
  };
  Kind kind = Kind::kAnything;
  ColumnName column, other;
  std::vector<ShapeValue> values;
  std::vector<Predicate> parts;
  int query = -1;  // in QueryShape::queries
};

struct QueryShape;
using QueryShapeRef = std::shared_ptr<const QueryShape>;

// One item of FROM, or a join of two.
struct FromShape {
  enum class Kind : uint8_t {
    kRelation,
    kQuery,   // a sub-select, or a CTE by its name
    kSeries,  // generate_series: one column, of its own name
    kOpaque,  // anything else, with columns of unknown names
    kJoin,
  };
  enum class Join : uint8_t { kInner, kLeft, kRight, kFull };

  Kind kind = Kind::kOpaque;
  std::string schema, name, alias;
  std::vector<std::string> column_aliases;
  bool sampled = false;  // TABLESAMPLE
  QueryShapeRef query;
  bool lateral = false;
  bool cte = false;
  Join join = Join::kInner;
  std::vector<FromShape> sides;  // of a join: two
  Predicate on;
  std::vector<std::string> merged;  // by USING
  bool natural = false;
  bool hides_names = false;  // the join has an alias
};

struct OutputColumn {
  // kSpread: (x).*, of which nobody knows how many it is.
  enum class Kind : uint8_t { kColumn, kValue, kStar, kStarOf, kSpread, kOther };
  Kind kind = Kind::kOther;
  std::string name;   // "" when it can't be told
  ColumnName column;  // of kColumn; of kStarOf its relation
  ShapeValue value;
};

struct Assignment {
  std::string column;
  ShapeValue value;
  bool excluded = false;  // ON CONFLICT … SET column = excluded.column
};

// One SELECT, VALUES, set operation, INSERT, UPDATE, DELETE or MERGE.
struct QueryShape {
  enum class Kind : uint8_t {
    kSelect,
    kValues,
    kUnion,
    kIntersect,
    kExcept,
    kInsert,
    kUpdate,
    kDelete,
    kMerge
  };
  // What of several shards can't just be put one after the other.
  enum Feature : uint32_t {
    kGroups = 1u << 0,
    kDistinct = 1u << 1,
    kDistinctOn = 1u << 2,
    kWindow = 1u << 3,
    kOrders = 1u << 4,
    kLimits = 1u << 5,  // also OFFSET
    kLocks = 1u << 6,
    kAggregates = 1u << 7,  // surely: count(*), FILTER, WITHIN GROUP …
    kGroupingSets = 1u << 8,
    kInto = 1u << 9,
    kUserValues = 1u << 10,    // INSERT … OVERRIDING USER VALUE
    kSystemValues = 1u << 11,  // INSERT … OVERRIDING SYSTEM VALUE
    kSpreadRows = 1u << 12,    // VALUES ((x).*, …): what stands behind that has an unknown place
  };

  Kind kind = Kind::kSelect;
  uint32_t features = 0;
  bool all = false;             // UNION ALL and its kin
  std::vector<FromShape> from;  // of UPDATE, DELETE, MERGE and INSERT: the target first
  Predicate where;
  std::vector<OutputColumn> output;  // RETURNING, too
  std::vector<ColumnName> group_columns;
  std::vector<std::string> functions;  // called here, but not in queries within; without schema
  std::vector<QueryShapeRef> queries;  // in expressions
  // Those that run, and that no item of FROM stands for: that write, or refer to themselves.
  std::vector<QueryShapeRef> ctes;
  std::vector<QueryShapeRef> arms;  // of a set operation: two; of INSERT: its source if a query
  std::vector<std::vector<ShapeValue>> rows;  // of VALUES
  std::vector<std::string> columns;           // that INSERT names
  std::vector<Assignment> assignments;        // of UPDATE, ON CONFLICT DO UPDATE
  bool cte_writes = false;                    // one of `ctes` does
};

// What it takes beyond its own size.
size_t BytesOf(const QueryShape& shape);

}  // namespace pgweir::router
