#include "router/list_split.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgweir::router {
namespace {

using Kind = Predicate::Kind;
using State = BoundValues::Text::State;

class Splitter {
 public:
  Splitter(const RouteTemplate& route, const ShardMap& map, const BoundValues& values, NodeId node)
      : route_(route), map_(map), values_(values), node_(node) {}

  // Not below NOT: there a list says which symbols are left out.
  void Visit(const SymbolFilter& filter, const SymbolColumn& column) {
    if (filter.kind == Kind::kAnd || filter.kind == Kind::kOr) {
      for (const SymbolFilter& part : filter.parts) Visit(part, column);
    } else if (filter.kind == Kind::kIn && filter.divisible) {
      SplitValues(filter.values, column);
    } else if (filter.kind == Kind::kInArray && filter.divisible) {
      SplitArray(filter.values[0], column);
    }
  }

  // A list that several occurrences are filtered by was met as often.
  ListSplit Take() {
    const auto by_place = [](const auto& a, const auto& b) {
      return a.span.offset < b.span.offset;
    };
    const auto by_number = [](const auto& a, const auto& b) { return a.number < b.number; };
    std::sort(split_.text.begin(), split_.text.end(), by_place);
    std::sort(split_.parameters.begin(), split_.parameters.end(), by_number);
    split_.text.erase(std::unique(split_.text.begin(), split_.text.end()), split_.text.end());
    split_.parameters.erase(std::unique(split_.parameters.begin(), split_.parameters.end()),
                            split_.parameters.end());
    return std::move(split_);
  }

 private:
  bool IsOwn(std::string_view symbol, const SymbolColumn& column) const {
    if (!symbol.ends_with(' ')) return map_.NodeFor(symbol) == node_;
    return map_.NodesFor(StoredAs(symbol, column)).Has(node_);
  }

  // Either may stand in the other's place without changing the type of anything.
  bool Alike(const ShapeValue& a, const ShapeValue& b) const {
    if (a.kind != b.kind || a.cast != b.cast) return false;
    return a.kind == ShapeValue::Kind::kLiteral ||
           values_.BoundTo(a).type == values_.BoundTo(b).type;
  }

  // All literals or all parameters, but for NULLs: what a text becomes must not depend on
  // parameters.
  void SplitValues(const std::vector<ShapeValue>& list, const SymbolColumn& column) {
    std::vector<const ShapeValue*> own;  // no two of them alike
    std::vector<const ShapeValue*> foreign;
    std::optional<ShapeValue::Kind> kind;
    for (const ShapeValue& value : list) {
      const BoundValues::Text text = values_.TextOf(value, route_.constants);
      if (value.kind == ShapeValue::Kind::kNull) continue;
      const bool given =
          value.kind == ShapeValue::Kind::kLiteral || value.kind == ShapeValue::Kind::kParameter;
      if (text.state == State::kUnknown || !given) return;
      if (kind && *kind != value.kind) return;
      kind = value.kind;
      if (text.state == State::kNull) continue;
      if (!IsOwn(text.text, column)) {
        foreign.push_back(&value);
      } else if (FindAlike(own, value) == nullptr) {
        own.push_back(&value);
      }
    }
    for (const ShapeValue* const value : foreign) {
      const ShapeValue* const other = FindAlike(own, *value);
      if (other != nullptr && !value->repeated) Replace(*value, *other);
    }
  }

  const ShapeValue* FindAlike(const std::vector<const ShapeValue*>& among,
                              const ShapeValue& value) const {
    const auto found = std::find_if(among.begin(), among.end(),
                                    [&](const auto* other) { return Alike(*other, value); });
    return found == among.end() ? nullptr : *found;
  }

  void Replace(const ShapeValue& value, const ShapeValue& other) {
    if (value.kind == ShapeValue::Kind::kParameter) {
      // The bytes of a text are the same in both formats.
      split_.parameters.push_back({value.index, std::string(values_.BoundTo(other).bytes)});
      return;
    }
    std::string text(values_.LiteralOf(other).span.In(values_.sql()));
    // A word may touch the literal, and would swallow the E of an E'…'.
    if (!text.starts_with('\'')) text.insert(0, " ");
    split_.text.push_back({values_.LiteralOf(value).span, std::move(text)});
  }

  void SplitArray(const ShapeValue& value, const SymbolColumn& column) {
    BoundValues::Array array = values_.ArrayOf(value, route_.constants);
    if (array.state != State::kKnown || value.repeated) return;
    const size_t foreign = std::erase_if(
        array.elements, [&](const auto& element) { return element && !IsOwn(*element, column); });
    if (foreign == 0) return;
    if (value.kind == ShapeValue::Kind::kParameter) {
      ReplaceParameter(value, array.elements);
    } else if (value.kind == ShapeValue::Kind::kLiteral) {
      ReplaceLiteral(value, array.elements);
    }
  }

  void ReplaceParameter(const ShapeValue& value, const TextArray& elements) {
    const BoundParameter& parameter = values_.BoundTo(value);
    const bool nested = parameter.binary ? IsNestedBinaryArray(parameter.bytes)
                                         : IsNestedTextArray(parameter.bytes);
    if (nested) return;
    split_.parameters.push_back(
        {value.index, parameter.binary ? EncodeTextArray(elements, ElementTypeOf(parameter.bytes))
                                       : FormatTextArray(elements)});
  }

  void ReplaceLiteral(const ShapeValue& value, const TextArray& elements) {
    const Literal& literal = values_.LiteralOf(value);
    // What an escape stands for may not be what its bytes are in the client's encoding.
    if (literal.kind != LiteralKind::kPlain && literal.kind != LiteralKind::kDollar) return;
    if (IsNestedTextArray(values_.TextOf(value, route_.constants).text)) return;
    std::string text = "'";
    for (const char c : FormatTextArray(elements)) {
      // It may be an escape in '…', where standard_conforming_strings is off.
      if (c == '\\') return;
      if (c == '\'') text += c;
      text += c;
    }
    split_.text.push_back({literal.span, text + "'"});
  }

  const RouteTemplate& route_;
  const ShardMap& map_;
  const BoundValues& values_;
  NodeId node_;
  ListSplit split_;
};

}  // namespace

ListSplit SplitLists(const RouteTemplate& route, const ShardMap& map, const BoundValues& values,
                     NodeId node) {
  if (route.fixed) return {};
  Splitter splitter(route, map, values, node);
  for (const RouteTemplate::Occurrence& occurrence : route.occurrences) {
    for (const SymbolFilter& filter : occurrence.filters) splitter.Visit(filter, occurrence.column);
  }
  return splitter.Take();
}

}  // namespace pgweir::router
