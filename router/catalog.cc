#include "router/catalog.h"

#include <algorithm>

#include "router/call_volatility.h"

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

std::span<const Overload> Catalog::OverloadsOf(std::string_view function) const {
  const auto named = overloads_.find(function);
  if (named == overloads_.end()) return {};
  return named->second;
}

uint32_t Catalog::BaseType(uint32_t type) const {
  const auto domain = domains_.find(type);
  return domain == domains_.end() ? type : domain->second;
}

SessionVerdict Catalog::MayChangeSession(const StatementFacts& statement) const {
  SessionVerdict verdict = SessionVerdict::kNo;
  const auto consider = [&verdict](SessionVerdict other) {
    // What is known outweighs what is not.
    if (verdict == SessionVerdict::kNo || verdict == SessionVerdict::kUnknownName) {
      if (other != SessionVerdict::kNo) verdict = other;
    }
  };
  std::vector<CalledFunction> called;
  for (size_t i = 0; i < statement.functions.size(); ++i) {
    const QualifiedName& function = statement.functions[i];
    SessionVerdict of_function = OfFunction(function);
    if (of_function == SessionVerdict::kCallsVolatile && !OverloadsOf(function.name).empty()) {
      if (called.empty()) called = FunctionsCalled(statement, *this);
      if (!called[i].unseen) of_function = SessionVerdict::kNo;
    }
    consider(of_function);
  }
  for (const Relation& relation : statement.relations) consider(OfRelation(relation));
  return verdict;
}

bool Catalog::RunsUnseen(const QualifiedName& function) const {
  const auto named = functions_.find(function.name);
  if (named == functions_.end()) return false;
  return std::any_of(named->second.begin(), named->second.end(), [&](const Function& candidate) {
    return (function.schema.empty() || function.schema == candidate.schema) &&
           candidate.volatility == Volatility::kVolatile && !candidate.harmless;
  });
}

SessionVerdict Catalog::OfFunction(const QualifiedName& function) const {
  if (IsSystemSchema(function.schema)) return SessionVerdict::kNo;
  if (RunsUnseen(function)) return SessionVerdict::kCallsVolatile;
  const bool known = VolatilityOf(function) != nullptr;
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
