#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/query_shape.h"
#include "router/sql_scanner.h"
#include "router/text_array.h"

namespace pgweir::router {

// A parameter as a Bind brings it.
struct BoundParameter {
  bool null = false;
  bool binary = false;
  uint32_t type = 0;       // as Parse declared it; 0 = left to the server
  std::string_view bytes;  // lives as long as the BoundValues
};

// What the values of a shape are in one execution: the literals of its text and its parameters.
class BoundValues {
 public:
  // `literals` are of `sql`. What they and `parameters` refer to outlives the object. A parameter
  // that isn't there is unknown, as all are before a Bind.
  BoundValues(std::string_view sql, std::span<const Literal> literals,
              std::span<const BoundParameter> parameters = {}, bool utf8 = true)
      : sql_(sql), literals_(literals), parameters_(parameters), utf8_(utf8) {}

  struct Text {
    enum class State : uint8_t { kUnknown, kNull, kKnown } state = State::kUnknown;
    std::string_view text;  // lives as long as the BoundValues
    // Of type char(n): what it is compared with may be so, too, without its blanks at the end.
    bool padded = false;
  };
  // The text that a value compares as; unknown when that can't be told for certain. `constants` are
  // what kConstant values refer to.
  Text TextOf(const ShapeValue& value, std::span<const std::string> constants) const;

  struct Array {
    Text::State state = Text::State::kUnknown;
    TextArray elements;
  };
  Array ArrayOf(const ShapeValue& value, std::span<const std::string> constants) const;

  std::string_view sql() const { return sql_; }
  // Of a kLiteral value.
  const Literal& LiteralOf(const ShapeValue& value) const {
    return literals_[static_cast<size_t>(value.index)];
  }
  // Of a kParameter value that isn't unknown.
  const BoundParameter& BoundTo(const ShapeValue& value) const {
    return parameters_[static_cast<size_t>(value.index) - 1];
  }

 private:
  Text LiteralText(int index) const;
  const BoundParameter* ParameterOf(const ShapeValue& value) const;
  Text Checked(std::string_view text) const;

  std::string_view sql_;
  std::span<const Literal> literals_;
  std::span<const BoundParameter> parameters_;
  bool utf8_;
  mutable std::vector<std::unique_ptr<std::string>> unescaped_;
};

}  // namespace pgweir::router
