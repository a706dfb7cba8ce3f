#include "router/query_shape.h"

namespace pgweir::router {
namespace {

size_t OfText(const std::string& text) {
  // A short string lies within its object.
  return text.capacity() > 15 ? text.capacity() + 1 : 0;
}

size_t OfTexts(const std::vector<std::string>& texts) {
  size_t bytes = texts.capacity() * sizeof(std::string);
  for (const std::string& text : texts) bytes += OfText(text);
  return bytes;
}

size_t OfName(const ColumnName& name) {
  return OfText(name.schema) + OfText(name.relation) + OfText(name.column);
}

size_t OfPredicate(const Predicate& predicate) {
  size_t bytes = OfName(predicate.column) + OfName(predicate.other);
  bytes += predicate.values.capacity() * sizeof(ShapeValue);
  bytes += predicate.parts.capacity() * sizeof(Predicate);
  for (const Predicate& part : predicate.parts) bytes += OfPredicate(part);
  return bytes;
}

// A query that several refer to counts for each: better too much than too little.
size_t OfQuery(const QueryShapeRef& query) {
  return query ? sizeof(QueryShape) + 16 + BytesOf(*query) : 0;
}

size_t OfQueries(const std::vector<QueryShapeRef>& queries) {
  size_t bytes = queries.capacity() * sizeof(QueryShapeRef);
  for (const QueryShapeRef& query : queries) bytes += OfQuery(query);
  return bytes;
}

size_t OfFrom(const FromShape& from) {
  size_t bytes = OfText(from.schema) + OfText(from.name) + OfText(from.alias);
  bytes += OfTexts(from.column_aliases) + OfTexts(from.merged) + OfPredicate(from.on);
  // A CTE's is shared, and may be by very many.
  if (!from.cte) bytes += OfQuery(from.query);
  bytes += from.sides.capacity() * sizeof(FromShape);
  for (const FromShape& side : from.sides) bytes += OfFrom(side);
  return bytes;
}

}  // namespace

size_t BytesOf(const QueryShape& shape) {
  size_t bytes = OfPredicate(shape.where) + OfTexts(shape.functions) + OfTexts(shape.columns);
  bytes += shape.from.capacity() * sizeof(FromShape);
  for (const FromShape& from : shape.from) bytes += OfFrom(from);
  bytes += shape.output.capacity() * sizeof(OutputColumn);
  for (const OutputColumn& column : shape.output) {
    bytes += OfText(column.name) + OfName(column.column);
  }
  bytes += shape.group_columns.capacity() * sizeof(ColumnName);
  for (const ColumnName& column : shape.group_columns) bytes += OfName(column);
  bytes += OfQueries(shape.queries) + OfQueries(shape.ctes) + OfQueries(shape.arms);
  bytes += shape.rows.capacity() * sizeof(shape.rows[0]);
  for (const auto& row : shape.rows) bytes += row.capacity() * sizeof(ShapeValue);
  bytes += shape.assignments.capacity() * sizeof(Assignment);
  for (const Assignment& assignment : shape.assignments) bytes += OfText(assignment.column);
  return bytes;
}

}  // namespace pgweir::router
