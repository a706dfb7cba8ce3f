#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "router/sql_token.h"
#include "router/text_edit.h"

// Serial and identity columns of a sharded table: every node has a sequence for them, and would
// give the same numbers as the others. So the numbers that an INSERT leaves to its table are drawn
// from the sequence of one node and put into its text.

namespace pgweir::router {

// What one INSERT … VALUES leaves to sequences. Holds for every text with its facts.
struct DrawnNumbers {
  struct Column {
    std::string name;
    std::string sequence;  // with its schema, as SQL writes it
    // Among the values of a row, for which the INSERT names the column or its place; there it says
    // DEFAULT in some rows. None when it leaves the column out.
    std::optional<size_t> position;
    bool operator==(const Column&) const = default;
  };
  // One number: which row's, which column's.
  struct Value {
    uint32_t row = 0;
    uint32_t column = 0;  // in `columns`
    bool operator==(const Value&) const = default;
  };

  std::string table;
  std::vector<Column> columns;
  // What the INSERT has to name before it can name one of them more: the columns of its values.
  std::vector<std::string> before;
  bool names_columns = false;  // it does so itself
  bool overrides = false;      // it lacks OVERRIDING SYSTEM VALUE, which it needs with a number
  size_t rows = 0, width = 0;  // of its VALUES
  std::vector<Value> values;   // row by row

  const std::string& SequenceOf(const Value& value) const { return columns[value.column].sequence; }
  bool operator==(const DrawnNumbers&) const = default;
};
using DrawnNumbersRef = std::shared_ptr<const DrawnNumbers>;

// What gives the text of the INSERT its numbers, `sql_of(i)` being what stands for values[i].
// `tokens` are the statement's. Nothing when the INSERT isn't as plain as it has to be.
std::optional<std::vector<TextEdit>> NumberEdits(const DrawnNumbers& drawn, std::string_view sql,
                                                 std::span<const Token> tokens,
                                                 absl::FunctionRef<std::string(size_t)> sql_of);

// A number as nextval gives it, and a parameter that is one; where that is NULL, the server draws
// from its own sequence.
std::string NumberLiteral(std::string_view number);
std::string NumberParameter(int parameter, std::string_view sequence);

// Of a column whose number can't be drawn.
std::string WhyNotDrawn(std::string_view column, std::string_view table, std::string_view reason);
inline constexpr const char* kNoPlainInsert = "this is not a plain INSERT … VALUES";
inline constexpr const char* kGiveNumber =
    "Use a plain INSERT … VALUES, or give it a value: SELECT nextval('…') goes to the node of "
    "\"*\".";

}  // namespace pgweir::router
