#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "router/sql_token.h"

namespace pgweir::router {

// Where the parts of an INSERT … VALUES stand, as indexes of its tokens.
struct InsertPlaces {
  struct Row {
    std::vector<std::span<const Token>> values;
    size_t end = 0;        // its closing parenthesis
    bool expands = false;  // a value may be several columns: x.*
  };
  size_t target_end = 0;           // behind the table's name and alias
  std::optional<size_t> list_end;  // the closing parenthesis of the columns, if they are named
  size_t values = 0;               // the word VALUES, or OVERRIDING before it
  bool overrides = false;
  std::vector<Row> rows;
};

// `tokens` are those of a statement that the grammar takes for an INSERT. Nothing when it is any
// other than INSERT INTO name [AS alias] [(columns)] [OVERRIDING …] VALUES (…), … [ON CONFLICT …]
// [RETURNING …].
std::optional<InsertPlaces> FindInsertPlaces(std::string_view sql, std::span<const Token> tokens);

}  // namespace pgweir::router
