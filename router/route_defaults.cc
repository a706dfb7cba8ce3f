// Defaults that draw from a sequence: each node has its own, so rows of different nodes would get
// the same number. A plain INSERT is given numbers of one node's (router/drawn_numbers); others are
// refused.

#include <algorithm>

#include <spdlog/fmt/fmt.h>
#include "router/drawn_numbers.h"
#include "router/route_builder.h"

namespace pgweir::router {
namespace {

// Where the value of the column, which is the table's `index`th, stands in a row of the INSERT;
// none when it leaves the column out.
std::optional<size_t> PositionOf(const QueryShape& shape, size_t width, const CatalogColumn& column,
                                 size_t index) {
  if (shape.columns.empty()) return index < width ? std::optional(index) : std::nullopt;
  const auto found = std::find(shape.columns.begin(), shape.columns.end(), column.name);
  if (found == shape.columns.end()) return std::nullopt;
  return static_cast<size_t>(found - shape.columns.begin());
}

bool IsDefaultAt(const std::vector<ShapeValue>& row, size_t position) {
  return position >= row.size() || row[position].kind == ShapeValue::Kind::kDefault;
}

// Whether an INSERT leaves the column, which is the table's `index`th, to its default. width: of
// the query that its rows come from, if they do.
bool LeavesToDefault(const QueryShape& shape, std::optional<size_t> width,
                     const CatalogColumn& column, size_t index) {
  if ((shape.features & QueryShape::kUserValues) != 0) return true;
  const auto position = PositionOf(shape, SIZE_MAX, column, index);
  if (!position) return true;
  if (width) return *position >= *width;
  return std::any_of(shape.rows.begin(), shape.rows.end(),
                     [&](const auto& row) { return IsDefaultAt(row, *position); });
}

}  // namespace

void RouteBuilder::CheckDefaults(const QueryShape& shape, std::optional<size_t> width) {
  if (catalog_ == nullptr || map_.all_nodes().size() < 2) return;
  const FromShape& target = shape.from[0];
  const auto tables = catalog_->Find({target.schema, target.name});
  for (const CatalogRelation* relation : tables) {
    std::vector<size_t> left;
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      const CatalogColumn& column = relation->columns[i];
      if (column.draws && LeavesToDefault(shape, width, column, i)) left.push_back(i);
    }
    if (left.empty()) continue;
    if (const char* why = WhyNotPlain(shape); why != nullptr) {
      return RejectDrawn(relation->columns[left[0]], target, why);
    }
    if (tables.size() > 1) {
      return RejectDrawn(relation->columns[left[0]], target, "several tables have its name");
    }
    return Draw(shape, *relation, left);
  }
}

// Null when numbers can be put into it as far as its shape goes.
const char* RouteBuilder::WhyNotPlain(const QueryShape& shape) const {
  if (&shape != whole_ || shape.rows.empty()) return kNoPlainInsert;
  if ((shape.features & QueryShape::kUserValues) != 0) return "the INSERT overrides user values";
  const size_t width = shape.rows[0].size();
  const bool even = std::all_of(shape.rows.begin(), shape.rows.end(),
                                [width](const auto& row) { return row.size() == width; });
  if (!even || (!shape.columns.empty() && shape.columns.size() != width)) {
    return "the INSERT has not as many values in each row as columns";
  }
  return nullptr;
}

// `left`: the columns that it leaves to their sequences.
void RouteBuilder::Draw(const QueryShape& shape, const CatalogRelation& table,
                        const std::vector<size_t>& left) {
  auto drawn = std::make_shared<DrawnNumbers>();
  drawn->table = shape.from[0].name;
  drawn->names_columns = !shape.columns.empty();
  drawn->rows = shape.rows.size();
  drawn->width = shape.rows[0].size();
  bool names_more = false;
  for (const size_t index : left) {
    const CatalogColumn& column = table.columns[index];
    if (column.sequence.empty()) {
      return RejectDrawn(column, shape.from[0], "its default is more than nextval of one sequence");
    }
    const auto position = PositionOf(shape, drawn->width, column, index);
    names_more = names_more || !position;
    drawn->columns.push_back({column.name, column.sequence, position});
  }
  const bool overrides = (shape.features & QueryShape::kSystemValues) != 0;
  for (size_t i = 0; i < table.columns.size() && !overrides; ++i) {
    const CatalogColumn& column = table.columns[i];
    if (!column.always) continue;
    const auto position = PositionOf(shape, drawn->width, column, i);
    const bool given =
        position && std::any_of(shape.rows.begin(), shape.rows.end(),
                                [&](const auto& row) { return !IsDefaultAt(row, *position); });
    if (given) {
      Reject(fmt::format("cannot insert a non-DEFAULT value into column \"{}\"", column.name),
             "Use OVERRIDING SYSTEM VALUE to override.");
      template_.plan.sqlstate = "428C9";
      return;
    }
    drawn->overrides = true;
  }
  for (size_t i = 0; names_more && !drawn->names_columns && i < drawn->width; ++i) {
    drawn->before.push_back(table.columns[i].name);
  }
  for (uint32_t row = 0; row < drawn->rows; ++row) {
    for (uint32_t i = 0; i < drawn->columns.size(); ++i) {
      const auto& position = drawn->columns[i].position;
      if (!position || IsDefaultAt(shape.rows[row], *position)) drawn->values.push_back({row, i});
    }
  }
  template_.drawn = std::move(drawn);
}

// SET column = DEFAULT. Of a view the default may be its table's.
void RouteBuilder::CheckAssignedDefaults(const QueryShape& shape) {
  if (catalog_ == nullptr || map_.all_nodes().size() < 2) return;
  const FromShape& target = shape.from[0];
  for (const Assignment& assignment : shape.assignments) {
    if (assignment.value.kind != ShapeValue::Kind::kDefault) continue;
    for (const CatalogRelation* relation : catalog_->Find({target.schema, target.name})) {
      if (relation->kind == 'v' && Now() > 0) {
        Reject(
            fmt::format("DEFAULT in an UPDATE of the view \"{}\" of a sharded table", target.name),
            "Update the table itself.");
      }
      if (PlaceOf(*relation).placement != Placement::kSharded) continue;
      for (const CatalogColumn& column : relation->columns) {
        if (column.draws && column.name == assignment.column) {
          RejectDrawn(column, target, "DEFAULT is assigned to it");
        }
      }
    }
  }
}

void RouteBuilder::RejectDrawn(const CatalogColumn& column, const FromShape& target,
                               std::string_view reason) {
  Reject(WhyNotDrawn(column.name, target.name, reason), kGiveNumber);
}

}  // namespace pgweir::router
