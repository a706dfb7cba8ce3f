#include "router/touched_tables.h"

#include <algorithm>
#include <array>

namespace pgweir::router {
namespace {

// Built in, and carry out SQL that they are given.
constexpr std::array<std::string_view, 10> kRunSql = {"query_to_xml",
                                                      "query_to_xmlschema",
                                                      "query_to_xml_and_xmlschema",
                                                      "cursor_to_xml",
                                                      "table_to_xml",
                                                      "schema_to_xml",
                                                      "database_to_xml",
                                                      "ts_stat",
                                                      "ts_rewrite",
                                                      "pg_logical_slot_get_changes"};

TouchedTables Unknown() {
  TouchedTables unknown;
  unknown.unknown = true;
  return unknown;
}

void Add(TouchedTables& touched, const std::vector<uint32_t>& relations) {
  touched.relations.insert(touched.relations.end(), relations.begin(), relations.end());
}

void PutInOrder(TouchedTables& touched) {
  std::sort(touched.relations.begin(), touched.relations.end());
  const auto repeated = std::unique(touched.relations.begin(), touched.relations.end());
  touched.relations.erase(repeated, touched.relations.end());
}

bool RunsSql(const StatementFacts& statement) {
  return std::any_of(
      statement.functions.begin(), statement.functions.end(), [](const QualifiedName& function) {
        return std::find(kRunSql.begin(), kRunSql.end(), function.name) != kRunSql.end();
      });
}

// Whether the statement is of a kind whose relations and functions say all that it may write.
bool ShowsItsWrites(const StatementFacts& statement) {
  switch (statement.kind) {
    case StatementKind::kSelect:
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kCopy:
    case StatementKind::kExplain:
    case StatementKind::kCursor:
      return (statement.effects & (kUnseen | kDdl | kExecutes)) == 0;
    default:
      return false;
  }
}

bool NeverWrites(const StatementFacts& statement) {
  switch (statement.kind) {
    case StatementKind::kEmpty:
    case StatementKind::kShow:
    case StatementKind::kSet:
    case StatementKind::kPrepare:
    case StatementKind::kDeallocate:
    case StatementKind::kDiscard:
    case StatementKind::kListen:
    case StatementKind::kLock:
      return true;
    case StatementKind::kUtility:
      return (statement.effects & kWrites) == 0;
    default:
      return false;
  }
}

}  // namespace

TouchedTables TablesRead(const StatementFacts& statement, const Catalog& catalog) {
  TouchedTables touched;
  for (const Relation& relation : statement.relations) {
    const auto candidates = catalog.Find(relation.name);
    if (candidates.empty()) return Unknown();
    for (const CatalogRelation* candidate : candidates) Add(touched, candidate->reads);
  }
  PutInOrder(touched);
  return touched;
}

TouchedTables TablesWritten(const StatementFacts& statement, const Catalog& catalog) {
  if (NeverWrites(statement)) return {};
  if (statement.kind == StatementKind::kTransaction) {
    return statement.commits_prepared ? Unknown() : TouchedTables();
  }
  if (!ShowsItsWrites(statement) || RunsSql(statement)) return Unknown();
  if (catalog.hides_volatile() || catalog.MayChangeSession(statement) != SessionVerdict::kNo) {
    return Unknown();
  }
  TouchedTables touched;
  for (const Relation& relation : statement.relations) {
    if (!relation.written) continue;
    const auto candidates = catalog.Find(relation.name);
    if (candidates.empty()) return Unknown();
    for (const CatalogRelation* candidate : candidates) {
      if (candidate->kind == 'f') return Unknown();
      Add(touched, candidate->writes);
    }
  }
  PutInOrder(touched);
  return touched;
}

}  // namespace pgweir::router
