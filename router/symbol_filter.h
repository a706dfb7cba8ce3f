#pragma once

#include <span>
#include <string>
#include <vector>

#include "router/bound_values.h"
#include "router/query_shape.h"
#include "router/symbol_set.h"

namespace pgweir::router {

// How the values of a column that holds symbols compare.
struct SymbolColumn {
  enum class Type : uint8_t { kText, kVarchar, kBpchar, kUnknown };
  Type type = Type::kUnknown;
  bool byte_order = false;  // < and > go by bytes

  // Whether a value with blanks at its end may be equal to a symbol without.
  bool ignores_blanks() const { return type == Type::kBpchar || type == Type::kUnknown; }
  bool operator==(const SymbolColumn&) const = default;
};

// A condition on one symbol, made of the kinds of Predicate but kSameColumn and kInQuery.
struct SymbolFilter {
  Predicate::Kind kind = Predicate::Kind::kAnything;
  std::vector<ShapeValue> values;
  std::vector<SymbolFilter> parts;
  // Of kIn and kInArray: nothing is compared with the list but symbols of sharded tables, all of
  // this one's type. So on a node only its own symbols in the list matter.
  bool divisible = false;
};

// The filter without the parts of AND that say nothing. negated: it stands below a NOT, where OR is
// what AND is elsewhere.
SymbolFilter Simplified(SymbolFilter filter, bool negated = false);

// Every symbol for which the filter may be true, and perhaps more; never less.
SymbolSet Symbols(const SymbolFilter& filter, const SymbolColumn& column, const BoundValues& values,
                  std::span<const std::string> constants);

// The symbols that a value may be stored as in the column.
SymbolSet StoredAs(std::string_view value, const SymbolColumn& column);
// The same of any of these.
SymbolSet StoredAs(SymbolSet symbols);

}  // namespace pgweir::router
