#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/query_shape.h"

namespace pgweir::router {

// The query that defines a view, as the catalog writes it.
struct ViewShape {
  QueryShapeRef query;                // null when it isn't understood
  std::vector<std::string> literals;  // the texts of its literals; one that is no text is "\0"
};

ViewShape ReadView(std::string_view definition);

// What stands for a literal that is no text.
inline constexpr std::string_view kNoText{"\0", 1};

}  // namespace pgweir::router
