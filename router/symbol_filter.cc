#include "router/symbol_filter.h"

#include <algorithm>
#include <utility>

namespace pgweir::router {
namespace {

using Kind = Predicate::Kind;
using State = BoundValues::Text::State;

bool EndsBlank(std::string_view text) { return text.ends_with(' '); }

std::string_view WithoutBlanks(std::string_view text) {
  while (EndsBlank(text)) text.remove_suffix(1);
  return text;
}

SymbolSet Without(SymbolSet set) {
  set.Complement();
  return set;
}

// The value itself and what is left when blanks are cut off its end.
SymbolSet WithCuts(std::string_view value) {
  SymbolSet set = SymbolSet::Only(value);
  while (EndsBlank(value)) {
    value.remove_suffix(1);
    set.Unite(SymbolSet::Only(value));
  }
  return set;
}

// What a pattern of LIKE begins with.
struct LikePattern {
  std::string prefix;
  bool whole = true;  // there is nothing else in it
  bool open = false;  // only % follows
  bool valid = true;
};

LikePattern ReadLike(std::string_view pattern) {
  LikePattern read;
  size_t at = 0;
  while (at < pattern.size() && pattern[at] != '%' && pattern[at] != '_') {
    if (pattern[at] == '\\' && ++at == pattern.size()) {
      read.valid = false;
      return read;
    }
    read.prefix += pattern[at++];
  }
  read.whole = at == pattern.size();
  read.open = !read.whole && pattern.find_first_not_of('%', at) == std::string_view::npos;
  return read;
}

class Evaluator {
 public:
  Evaluator(const SymbolColumn& column, const BoundValues& values,
            std::span<const std::string> constants)
      : column_(column), values_(values), constants_(constants) {}

  // Where the filter, or its negation, may be true. Where it is NULL neither is.
  SymbolSet Symbols(const SymbolFilter& filter, bool negated) const {
    switch (filter.kind) {
      case Kind::kAnd:
        return Combined(filter, negated, !negated);
      case Kind::kOr:
        return Combined(filter, negated, negated);
      case Kind::kNot:
        return Symbols(filter.parts[0], !negated);
      case Kind::kEqual:
      case Kind::kIn:
        return InValues(filter.values, negated);
      case Kind::kInArray:
        return InArray(filter.values[0], negated);
      case Kind::kLike:
      case Kind::kStartsWith:
      case Kind::kLess:
      case Kind::kLessEqual:
      case Kind::kGreater:
      case Kind::kGreaterEqual:
        return Compared(filter, negated);
      default:
        return SymbolSet::All();
    }
  }

 private:
  BoundValues::Text TextOf(const ShapeValue& value) const {
    const BoundValues::Text text = values_.TextOf(value, constants_);
    return text.padded && !column_.ignores_blanks() ? BoundValues::Text() : text;
  }

  SymbolSet Combined(const SymbolFilter& filter, bool negated, bool meet) const {
    SymbolSet all = meet ? SymbolSet::All() : SymbolSet();
    for (const SymbolFilter& part : filter.parts) {
      const SymbolSet symbols = Symbols(part, negated);
      meet ? all.Intersect(symbols) : all.Unite(symbols);
    }
    return all;
  }

  // Of a list: with a NULL in it nothing is known not to be in it.
  struct List {
    SymbolSet symbols;
    bool has_null = false;
    bool vague = false;  // `symbols` may hold more than are in the list
  };
  void Add(std::string_view value, List& list) const {
    if (column_.ignores_blanks() && EndsBlank(value)) {
      list.symbols.Unite(WithCuts(value));
      list.vague = true;
    } else {
      list.symbols.Unite(SymbolSet::Only(value));
    }
  }
  static SymbolSet Of(List list, bool negated) {
    if (!negated) return std::move(list.symbols);
    if (list.has_null) return {};
    return list.vague ? SymbolSet::All() : Without(std::move(list.symbols));
  }

  SymbolSet InValues(std::span<const ShapeValue> values, bool negated) const {
    List list;
    for (const ShapeValue& value : values) {
      const BoundValues::Text text = TextOf(value);
      if (text.state == State::kUnknown) return SymbolSet::All();
      if (text.state == State::kNull) {
        list.has_null = true;
      } else {
        Add(text.text, list);
      }
    }
    return Of(std::move(list), negated);
  }

  SymbolSet InArray(const ShapeValue& value, bool negated) const {
    const BoundValues::Array array = values_.ArrayOf(value, constants_);
    if (array.state == State::kUnknown) return SymbolSet::All();
    if (array.state == State::kNull) return {};
    List list;
    for (const auto& element : array.elements) {
      if (element) {
        Add(*element, list);
      } else {
        list.has_null = true;
      }
    }
    return Of(std::move(list), negated);
  }

  SymbolSet Compared(const SymbolFilter& filter, bool negated) const {
    const BoundValues::Text value = TextOf(filter.values[0]);
    if (value.state == State::kUnknown) return SymbolSet::All();
    if (value.state == State::kNull) return {};
    if (filter.kind == Kind::kLike) return Like(value.text, negated);
    if (filter.kind == Kind::kStartsWith) return StartsWith(value.text, negated);
    if (!column_.byte_order) return SymbolSet::All();
    if (column_.ignores_blanks() && EndsBlank(value.text)) return SymbolSet::All();
    SymbolSet symbols = Range(filter.kind, value.text);
    return negated ? Without(std::move(symbols)) : symbols;
  }

  static SymbolSet Range(Kind kind, std::string_view value) {
    const bool inclusive = kind == Kind::kLessEqual || kind == Kind::kGreaterEqual;
    const bool below = kind == Kind::kLess || kind == Kind::kLessEqual;
    const SymbolSet::Bound bound{value, inclusive};
    return below ? SymbolSet::Between(std::nullopt, bound)
                 : SymbolSet::Between(bound, std::nullopt);
  }

  // A value of char(n) meets the pattern with its blanks.
  SymbolSet Like(std::string_view pattern, bool negated) const {
    const LikePattern like = ReadLike(pattern);
    if (!like.valid) return SymbolSet::All();
    if (column_.ignores_blanks()) {
      return negated ? SymbolSet::All() : SymbolSet::WithPrefix(WithoutBlanks(like.prefix));
    }
    SymbolSet symbols =
        like.whole ? SymbolSet::Only(like.prefix) : SymbolSet::WithPrefix(like.prefix);
    if (!negated) return symbols;
    return like.whole || like.open ? Without(std::move(symbols)) : SymbolSet::All();
  }

  SymbolSet StartsWith(std::string_view prefix, bool negated) const {
    if (column_.ignores_blanks()) {
      return negated ? SymbolSet::All() : SymbolSet::WithPrefix(WithoutBlanks(prefix));
    }
    SymbolSet symbols = SymbolSet::WithPrefix(prefix);
    return negated ? Without(std::move(symbols)) : symbols;
  }

  const SymbolColumn& column_;
  const BoundValues& values_;
  std::span<const std::string> constants_;
};

}  // namespace

SymbolFilter Simplified(SymbolFilter filter, bool negated) {
  if (filter.kind == Kind::kNot) negated = !negated;
  for (SymbolFilter& part : filter.parts) part = Simplified(std::move(part), negated);
  const auto anything = [](const SymbolFilter& part) { return part.kind == Kind::kAnything; };
  const bool logic = filter.kind == Kind::kAnd || filter.kind == Kind::kOr;
  const bool meets = logic && (filter.kind == Kind::kAnd) != negated;
  if (meets) {
    std::erase_if(filter.parts, anything);
    if (filter.parts.empty()) return {};
    if (filter.parts.size() == 1) return SymbolFilter(std::move(filter.parts[0]));
  } else if (std::any_of(filter.parts.begin(), filter.parts.end(), anything)) {
    return {};
  }
  return filter;
}

SymbolSet Symbols(const SymbolFilter& filter, const SymbolColumn& column, const BoundValues& values,
                  std::span<const std::string> constants) {
  return Evaluator(column, values, constants).Symbols(filter, false);
}

SymbolSet StoredAs(std::string_view value, const SymbolColumn& column) {
  // A varchar(n) drops blanks beyond its length.
  if (column.type == SymbolColumn::Type::kText) return SymbolSet::Only(value);
  return WithCuts(value);
}

SymbolSet StoredAs(SymbolSet symbols) {
  // What is left of a symbol lies before its range only if the range begins with that and a blank,
  // or a byte before that.
  SymbolSet cuts;
  for (const SymbolSet::Range& range : symbols.ranges()) {
    for (size_t i = 0; i < range.from.size(); ++i) {
      if (static_cast<unsigned char>(range.from[i]) > ' ') continue;
      cuts.Unite(SymbolSet::Only(std::string_view(range.from).substr(0, i)));
    }
  }
  symbols.Unite(cuts);
  return symbols;
}

}  // namespace pgweir::router
