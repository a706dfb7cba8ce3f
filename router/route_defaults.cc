// Defaults that draw from a sequence: each node has its own, so rows of different nodes would get
// the same number.

#include <algorithm>

#include <spdlog/fmt/fmt.h>
#include "router/route_builder.h"

namespace pgweir::router {
namespace {

// Whether an INSERT leaves the column, which is the table's `index`th, to its default. width: of
// the query that its rows come from, if they do.
bool LeavesToDefault(const QueryShape& shape, std::optional<size_t> width,
                     const CatalogColumn& column, size_t index) {
  if ((shape.features & QueryShape::kUserValues) != 0) return true;
  if (!shape.columns.empty()) {
    const auto found = std::find(shape.columns.begin(), shape.columns.end(), column.name);
    if (found == shape.columns.end()) return true;
    index = static_cast<size_t>(found - shape.columns.begin());
  }
  if (width) return index >= *width;
  return std::any_of(shape.rows.begin(), shape.rows.end(), [index](const auto& row) {
    return index >= row.size() || row[index].kind == ShapeValue::Kind::kDefault;
  });
}

}  // namespace

void RouteBuilder::CheckDefaults(const QueryShape& shape, std::optional<size_t> width) {
  if (catalog_ == nullptr) return;
  const FromShape& target = shape.from[0];
  for (const CatalogRelation* relation : catalog_->Find({target.schema, target.name})) {
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      const CatalogColumn& column = relation->columns[i];
      if (column.draws && LeavesToDefault(shape, width, column, i)) RejectDrawn(column, target);
    }
  }
}

// SET column = DEFAULT. Of a view the default may be its table's.
void RouteBuilder::CheckAssignedDefaults(const QueryShape& shape) {
  if (catalog_ == nullptr) return;
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
        if (column.draws && column.name == assignment.column) RejectDrawn(column, target);
      }
    }
  }
}

void RouteBuilder::RejectDrawn(const CatalogColumn& column, const FromShape& target) {
  if (map_.all_nodes().size() < 2) return;
  Reject(fmt::format("column \"{}\" of the sharded table \"{}\" draws from a sequence of each node",
                     column.name, target.name),
         "Give it a value: SELECT nextval('…') goes to the node of \"*\".");
}

}  // namespace pgweir::router
