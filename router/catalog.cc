#include "router/catalog.h"

namespace pgweir::router {
namespace {

bool IsSystemSchema(std::string_view schema) {
  return schema == "pg_catalog" || schema == "information_schema" || schema == "pg_toast";
}

}  // namespace

bool IsSystemRelation(const QualifiedName& name) {
  return name.schema.empty() ? name.name.starts_with("pg_") : IsSystemSchema(name.schema);
}

std::string_view Describe(SessionVerdict verdict) {
  switch (verdict) {
    case SessionVerdict::kNo:
      return "changes nothing unseen";
    case SessionVerdict::kCallsVolatile:
      return "calls a volatile function";
    case SessionVerdict::kReadsVolatile:
      return "reads what calls a volatile function";
    case SessionVerdict::kWritesVolatile:
      return "writes what calls a volatile function";
    case SessionVerdict::kUnknownName:
      return "names what the catalog doesn't have";
  }
  return "";
}

std::vector<const CatalogRelation*> Catalog::Find(const QualifiedName& name) const {
  std::vector<const CatalogRelation*> found;
  const auto named = relations_by_name_.find(name.name);
  if (named == relations_by_name_.end()) return found;
  for (const uint32_t index : named->second) {
    const CatalogRelation& relation = relations_[index];
    if (name.schema.empty() || name.schema == relation.name.schema) found.push_back(&relation);
  }
  return found;
}

std::vector<const CatalogRelation*> Catalog::FindByIndex(const QualifiedName& index) const {
  std::vector<const CatalogRelation*> found;
  const auto named = indexes_.find(index.name);
  if (named == indexes_.end()) return found;
  for (const Index& candidate : named->second) {
    if (!index.schema.empty() && index.schema != candidate.schema) continue;
    found.push_back(&relations_[candidate.relation]);
  }
  return found;
}

const Volatility* Catalog::VolatilityOf(const QualifiedName& function) const {
  const Volatility* greatest = nullptr;
  const auto consider = [&greatest](const Volatility& volatility) {
    if (greatest == nullptr || *greatest < volatility) greatest = &volatility;
  };
  if (function.schema.empty() || function.schema == "pg_catalog") {
    const auto built_in = built_ins_.find(function.name);
    if (built_in != built_ins_.end()) consider(built_in->second);
  }
  const auto named = functions_.find(function.name);
  if (named == functions_.end()) return greatest;
  for (const Function& candidate : named->second) {
    if (function.schema.empty() || function.schema == candidate.schema) {
      consider(candidate.volatility);
    }
  }
  return greatest;
}

SessionVerdict Catalog::MayChangeSession(const StatementFacts& statement) const {
  SessionVerdict verdict = SessionVerdict::kNo;
  const auto consider = [&verdict](SessionVerdict other) {
    // What is known outweighs what is not.
    if (verdict == SessionVerdict::kNo || verdict == SessionVerdict::kUnknownName) {
      if (other != SessionVerdict::kNo) verdict = other;
    }
  };
  for (const QualifiedName& function : statement.functions) consider(OfFunction(function));
  for (const Relation& relation : statement.relations) consider(OfRelation(relation));
  return verdict;
}

SessionVerdict Catalog::OfFunction(const QualifiedName& function) const {
  if (IsSystemSchema(function.schema)) return SessionVerdict::kNo;
  bool known = function.schema.empty() && built_ins_.contains(function.name);
  const auto named = functions_.find(function.name);
  if (named != functions_.end()) {
    for (const Function& candidate : named->second) {
      if (!function.schema.empty() && function.schema != candidate.schema) continue;
      known = true;
      if (candidate.volatility == Volatility::kVolatile && !candidate.harmless) {
        return SessionVerdict::kCallsVolatile;
      }
    }
  }
  return known ? SessionVerdict::kNo : SessionVerdict::kUnknownName;
}

SessionVerdict Catalog::OfRelation(const Relation& relation) const {
  const auto named = relations_by_name_.find(relation.name.name);
  bool known = IsSystemRelation(relation.name);
  if (named != relations_by_name_.end()) {
    for (const uint32_t index : named->second) {
      const CatalogRelation& candidate = relations_[index];
      if (!relation.name.schema.empty() && relation.name.schema != candidate.name.schema) continue;
      known = true;
      if (candidate.read_runs_volatile) return SessionVerdict::kReadsVolatile;
      if (relation.written && candidate.write_runs_volatile) {
        return SessionVerdict::kWritesVolatile;
      }
    }
  }
  return known ? SessionVerdict::kNo : SessionVerdict::kUnknownName;
}

}  // namespace pgweir::router
