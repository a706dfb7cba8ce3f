#include "router/bound_values.h"

#include <algorithm>
#include <utility>

#include "router/literal_value.h"
#include "router/text_types.h"

namespace pgweir::router {
namespace {

using State = BoundValues::Text::State;

bool EndsBlank(std::string_view text) { return text.ends_with(' '); }

}  // namespace

BoundValues::Text BoundValues::TextOf(const ShapeValue& value,
                                      std::span<const std::string> constants) const {
  switch (value.kind) {
    case ShapeValue::Kind::kNull:
      return {State::kNull, {}, false};
    case ShapeValue::Kind::kLiteral:
      return LiteralText(value.index);
    case ShapeValue::Kind::kConstant:
      return Checked(constants[static_cast<size_t>(value.index)]);
    case ShapeValue::Kind::kParameter:
      break;
    default:
      return {};
  }
  const BoundParameter* const parameter = ParameterOf(value);
  if (parameter == nullptr) return {};
  if (parameter->null) return {State::kNull, {}, false};
  const uint32_t type = parameter->type;
  if (type != 0 && type != kUnknownOid && !IsTextType(type)) return {};
  // As char(n), which the server may take it for, it compares without its trailing blanks.
  const bool certain = type == kTextOid || type == kVarcharOid;
  if (!certain && EndsBlank(parameter->bytes)) return {};
  Text text = Checked(parameter->bytes);
  text.padded = type == kBpcharOid;
  return text;
}

BoundValues::Array BoundValues::ArrayOf(const ShapeValue& value,
                                        std::span<const std::string> constants) const {
  bool binary = false;
  std::string_view bytes;
  if (value.kind == ShapeValue::Kind::kParameter) {
    const BoundParameter* const parameter = ParameterOf(value);
    if (parameter == nullptr) return {};
    if (parameter->null) return {State::kNull, {}};
    const uint32_t type = parameter->type;
    if (type != 0 && type != kUnknownOid && !IsTextArrayType(type)) return {};
    if (type == kBpcharArrayOid) return {};
    binary = parameter->binary;
    bytes = parameter->bytes;
  } else {
    const Text text = TextOf(value, constants);
    if (text.state != State::kKnown) return {text.state, {}};
    bytes = text.text;
  }
  auto elements = binary ? DecodeTextArray(bytes) : ParseTextArray(bytes);
  if (!elements) return {};
  const bool certain = std::none_of(elements->begin(), elements->end(), [&](const auto& element) {
    return element && (EndsBlank(*element) || Checked(*element).state == State::kUnknown);
  });
  if (!certain) return {};
  return {State::kKnown, std::move(*elements)};
}

const BoundParameter* BoundValues::ParameterOf(const ShapeValue& value) const {
  const auto index = static_cast<size_t>(value.index) - 1;
  if (value.index < 1 || index >= parameters_.size()) return nullptr;
  const BoundParameter& parameter = parameters_[index];
  // Left to the server, the type of what is cast may come from elsewhere in the statement: '05' as
  // an integer is '5' as text.
  const bool untyped = parameter.type == 0 || parameter.type == kUnknownOid;
  return untyped && value.cast && value.repeated ? nullptr : &parameter;
}

BoundValues::Text BoundValues::LiteralText(int index) const {
  if (index < 0 || static_cast<size_t>(index) >= literals_.size()) return {};
  const Literal& literal = literals_[static_cast<size_t>(index)];
  if (literal.kind > LiteralKind::kDollar) return {};
  if (literal.kind == LiteralKind::kPlain) {
    const std::string_view text = literal.span.In(sql_);
    const std::string_view inside = text.size() < 2 ? text : text.substr(1, text.size() - 2);
    if (text.front() == '\'' && inside.find('\'') == std::string_view::npos) return Checked(inside);
  }
  auto value = LiteralValue(sql_, literal);
  if (!value) return {};
  unescaped_.push_back(std::make_unique<std::string>(std::move(*value)));
  return Checked(*unescaped_.back());
}

// The map is written in UTF-8; in another encoding only ASCII is the same.
BoundValues::Text BoundValues::Checked(std::string_view text) const {
  const bool ascii = utf8_ || std::none_of(text.begin(), text.end(), [](char c) {
                       return static_cast<unsigned char>(c) > 127;
                     });
  if (!ascii) return {};
  return {State::kKnown, text, false};
}

}  // namespace pgweir::router
