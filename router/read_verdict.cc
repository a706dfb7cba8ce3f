#include "router/read_verdict.h"

#include <algorithm>
#include <array>
#include <optional>

#include "router/call_volatility.h"

namespace pgweir::router {
namespace {

// Stable as PostgreSQL sees it, but a standby refuses them.
constexpr std::array<std::string_view, 2> kAssignTransactionId = {"pg_current_xact_id",
                                                                  "txid_current"};
// Of those whose names begin with pg_, what says the same everywhere.
constexpr std::array<std::string_view, 6> kSaySame = {"pg_char_to_encoding", "pg_column_size",
                                                      "pg_encoding_to_char", "pg_lsn",
                                                      "pg_size_pretty",      "pg_typeof"};

bool IsAmong(std::string_view name, const auto& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

ReadVerdict OfFunction(const QualifiedName& function, std::optional<Volatility> volatility) {
  if (!volatility) return ReadVerdict::kUnknownName;
  if (*volatility == Volatility::kVolatile || IsAmong(function.name, kAssignTransactionId)) {
    return ReadVerdict::kCallsVolatile;
  }
  const bool asks = function.name.starts_with("pg_") && !IsAmong(function.name, kSaySame);
  return asks ? ReadVerdict::kAsksServer : ReadVerdict::kRead;
}

ReadVerdict OfRelation(const CatalogRelation& relation) {
  if (relation.kind == 'S' || relation.kind == 'f') return ReadVerdict::kReadsNoTable;
  return relation.surely_read ? ReadVerdict::kRead : ReadVerdict::kReadsVolatile;
}

ReadVerdict OfName(const QualifiedName& name, const Catalog& catalog) {
  if (IsSystemRelation(name)) return ReadVerdict::kAsksServer;
  const auto candidates = catalog.Find(name);
  if (candidates.empty()) return ReadVerdict::kUnknownName;
  for (const CatalogRelation* candidate : candidates) {
    const ReadVerdict verdict = OfRelation(*candidate);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  return ReadVerdict::kRead;
}

}  // namespace

std::string_view Describe(ReadVerdict verdict) {
  switch (verdict) {
    case ReadVerdict::kRead:
      return "only reads";
    case ReadVerdict::kNoQuery:
      return "does more than to read";
    case ReadVerdict::kCallsVolatile:
      return "calls a volatile function";
    case ReadVerdict::kAsksServer:
      return "asks about the server itself";
    case ReadVerdict::kReadsNoTable:
      return "reads a sequence or a foreign table";
    case ReadVerdict::kReadsVolatile:
      return "reads a view or under a policy that may do more than to read";
    case ReadVerdict::kUnknownName:
      return "names what the catalog doesn't have";
    case ReadVerdict::kHiddenVolatile:
      return "may use one of the database's volatile operators or casts";
  }
  return "";
}

ReadVerdict JudgeRead(const StatementFacts& statement, const Catalog& catalog) {
  if (statement.kind == StatementKind::kEmpty) return ReadVerdict::kRead;
  if (statement.kind != StatementKind::kSelect || statement.effects != kNoEffect) {
    return ReadVerdict::kNoQuery;
  }
  const std::vector<CalledFunction> called = FunctionsCalled(statement, catalog);
  for (size_t i = 0; i < called.size(); ++i) {
    const ReadVerdict verdict = OfFunction(statement.functions[i], called[i].volatility);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  for (const Relation& relation : statement.relations) {
    const ReadVerdict verdict = OfName(relation.name, catalog);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  return catalog.hides_volatile() ? ReadVerdict::kHiddenVolatile : ReadVerdict::kRead;
}

}  // namespace pgweir::router
