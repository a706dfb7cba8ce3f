#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pg_query/pg_query.pb-c.h"
#include "router/query_shape.h"
#include "router/sql_scanner.h"

namespace pgweir::router {

// Makes the shape of one query out of its tree.
class ShapeBuilder {
 public:
  // `scan` is of the text whose normalised form the tree was made from.
  explicit ShapeBuilder(const SqlScan& scan) : scan_(scan) {}

  // Null when the node is no SELECT, INSERT, UPDATE, DELETE or MERGE.
  QueryShapeRef Build(const PgQuery__Node* query);

 private:
  // A CTE whose name is in scope. It has no query while that is being built.
  struct Cte {
    std::string_view name;
    std::vector<std::string> columns;
    QueryShapeRef query;
    bool recursive = false;
  };
  // The block being built, and which of its queries each sub-select has become.
  struct Block {
    QueryShape shape;
    std::unordered_map<const PgQuery__SubLink*, int> queries;
  };

  QueryShapeRef BuildSelect(const PgQuery__SelectStmt& select);
  QueryShapeRef BuildInsert(const PgQuery__InsertStmt& insert);
  QueryShapeRef BuildUpdate(const PgQuery__UpdateStmt& update);
  QueryShapeRef BuildDelete(const PgQuery__DeleteStmt& remove);
  QueryShapeRef BuildMerge(const PgQuery__MergeStmt& merge);

  // Brings the WITH's names into scope; EndWith takes them out again and keeps those queries that
  // no reference has taken in.
  void BeginWith(const PgQuery__WithClause* with);
  void EndWith(const PgQuery__WithClause* with, Block& block);
  void AddFeatures(const PgQuery__SelectStmt& select, Block& block);

  void AddFrom(PgQuery__Node* const* items, size_t count, Block& block);
  FromShape FromItem(const PgQuery__Node* item, Block& block);
  FromShape FromJoin(const PgQuery__JoinExpr& join, Block& block);
  FromShape FromRelation(const PgQuery__RangeVar& range);
  FromShape FromFunction(const PgQuery__RangeFunction& function, Block& block);
  Cte* FindCte(const PgQuery__RangeVar& range);

  // The calls and sub-selects of an expression.
  void Expression(const ProtobufCMessage& message, Block& block);
  void Expressions(PgQuery__Node* const* nodes, size_t count, Block& block);
  void Expression(const PgQuery__Node* node, Block& block);
  void AddCall(const PgQuery__FuncCall& call, Block& block);

  void AddOutput(PgQuery__Node* const* targets, size_t count, Block& block);
  static bool IsSpread(const PgQuery__Node* node);
  void AddRows(PgQuery__Node* const* lists, size_t count, Block& block);
  void AddAssignments(PgQuery__Node* const* targets, size_t count, Block& block);

  Predicate PredicateOf(const PgQuery__Node* node, const Block& block) const;
  Predicate ComparisonOf(const PgQuery__AExpr& expression) const;
  Predicate RowComparison(const PgQuery__AExpr& expression) const;
  Predicate Compare(std::string_view op, const PgQuery__Node* left,
                    const PgQuery__Node* right) const;
  Predicate InList(const PgQuery__Node* left, PgQuery__Node* const* items, size_t count) const;
  Predicate InArray(const PgQuery__Node* left, const PgQuery__Node* array) const;
  Predicate Between(const PgQuery__AExpr& expression) const;
  ShapeValue ValueOf(const PgQuery__Node* node) const;
  ShapeValue ArrayValueOf(const PgQuery__Node* node) const;

  bool Repeats(int parameter) const;

  const SqlScan& scan_;
  std::vector<Cte> ctes_;
  mutable std::vector<int> uses_;  // of each parameter; made when first asked for
};

}  // namespace pgweir::router
