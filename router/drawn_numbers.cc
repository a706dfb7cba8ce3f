#include "router/drawn_numbers.h"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "router/insert_places.h"
#include "router/placement_tables.h"

namespace pgweir::router {
namespace {

bool IsDefault(std::span<const Token> value, std::string_view sql) {
  return value.size() == 1 && value[0].kind == TokenKind::kWord &&
         absl::EqualsIgnoreCase(ToAbsl(value[0].span.In(sql)), "default");
}

// What the grammar has said of it holds for these places, too.
bool Fits(const InsertPlaces& places, const DrawnNumbers& drawn) {
  if (places.list_end.has_value() != drawn.names_columns) return false;
  if (places.overrides && drawn.overrides) return false;
  if (places.rows.size() != drawn.rows) return false;
  for (const InsertPlaces::Row& row : places.rows) {
    if (row.values.size() != drawn.width || row.expands) return false;
  }
  return true;
}

class NumberEditor {
 public:
  NumberEditor(const DrawnNumbers& drawn, std::string_view sql, std::span<const Token> tokens)
      : drawn_(drawn), sql_(sql), tokens_(tokens) {}

  std::optional<std::vector<TextEdit>> Edit(absl::FunctionRef<std::string(size_t)> sql_of) {
    const auto places = FindInsertPlaces(sql_, tokens_);
    if (!places || !Fits(*places, drawn_)) return std::nullopt;
    EditColumns(*places);
    if (drawn_.overrides) Put(tokens_[places->values].span.offset, "OVERRIDING SYSTEM VALUE ");
    size_t next = 0;
    for (size_t row = 0; row < places->rows.size(); ++row) {
      std::string behind;
      const auto first = static_cast<ptrdiff_t>(edits_.size());
      while (next < drawn_.values.size() && drawn_.values[next].row == row) {
        const auto& position = drawn_.columns[drawn_.values[next].column].position;
        std::string number = sql_of(next++);
        if (!position) {
          behind += ", " + number;
          continue;
        }
        const std::span<const Token> value = places->rows[row].values[*position];
        if (!IsDefault(value, sql_)) return std::nullopt;
        edits_.push_back({value[0].span, std::move(number)});
      }
      // The table's columns may have another order than the row's.
      std::sort(edits_.begin() + first, edits_.end(),
                [](const auto& a, const auto& b) { return a.span.offset < b.span.offset; });
      Put(tokens_[places->rows[row].end].span.offset, std::move(behind));
    }
    return std::move(edits_);
  }

 private:
  void Put(uint32_t offset, std::string text) {
    if (!text.empty()) edits_.push_back({{offset, 0}, std::move(text)});
  }

  // Names those that the INSERT leaves out.
  void EditColumns(const InsertPlaces& places) {
    std::string names;
    for (const std::string& name : drawn_.before) {
      names += (names.empty() ? "" : ", ") + QuotedName(name);
    }
    for (const DrawnNumbers::Column& column : drawn_.columns) {
      if (!column.position) names += ", " + QuotedName(column.name);
    }
    if (names.empty()) return;
    if (places.list_end) return Put(tokens_[*places.list_end].span.offset, std::move(names));
    const Span last = tokens_[places.target_end - 1].span;
    Put(last.offset + last.length, " (" + names + ")");
  }

  const DrawnNumbers& drawn_;
  const std::string_view sql_;
  const std::span<const Token> tokens_;
  std::vector<TextEdit> edits_;
};

}  // namespace

std::optional<std::vector<TextEdit>> NumberEdits(const DrawnNumbers& drawn, std::string_view sql,
                                                 std::span<const Token> tokens,
                                                 absl::FunctionRef<std::string(size_t)> sql_of) {
  return NumberEditor(drawn, sql, tokens).Edit(sql_of);
}

// Of nextval's type, so that it becomes the column's in the same way.
std::string NumberLiteral(std::string_view number) {
  return fmt::format("'{}'::pg_catalog.int8", number);
}

// The name is looked up when it is used, and a node that is always given numbers need not have it.
std::string NumberParameter(int parameter, std::string_view sequence) {
  return fmt::format(
      "COALESCE(${}::pg_catalog.int8, "
      "pg_catalog.nextval('{}'::pg_catalog.text::pg_catalog.regclass))",
      parameter, sequence);
}

std::string WhyNotDrawn(std::string_view column, std::string_view table, std::string_view reason) {
  return fmt::format(
      "column \"{}\" of the sharded table \"{}\" draws from a sequence of each node, and {}",
      column, table, reason);
}

}  // namespace pgweir::router
