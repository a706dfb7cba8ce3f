#pragma once

#include <span>
#include <string>
#include <string_view>

#include "router/sql_token.h"

namespace pgweir::router {

// Other words for a part of a text; of an empty part, words to be put there.
struct TextEdit {
  Span span;  // of the text, that this stands in place of
  std::string text;
  bool operator==(const TextEdit&) const = default;
};

// The text with its edits, which are in order of their places.
std::string Edited(std::string_view sql, std::span<const TextEdit> edits);

}  // namespace pgweir::router
