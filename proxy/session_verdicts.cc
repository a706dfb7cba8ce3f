#include "proxy/session_verdicts.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

using router::SessionVerdict;

bool NamesSomething(const router::Facts& facts) {
  return std::any_of(facts.statements.begin(), facts.statements.end(),
                     [](const router::StatementFacts& statement) {
                       return !statement.functions.empty() || !statement.relations.empty();
                     });
}

SessionVerdict Ask(const router::CatalogRef& catalog, const router::Facts& facts) {
  if (catalog == nullptr) return SessionVerdict::kUnknownName;
  for (const router::StatementFacts& statement : facts.statements) {
    const SessionVerdict verdict = catalog->MayChangeSession(statement);
    if (verdict != SessionVerdict::kNo) return verdict;
  }
  return SessionVerdict::kNo;
}

}  // namespace

SessionVerdict SessionVerdicts::Verdict(NodeCatalog& catalog, const router::FactsRef& facts) {
  if (!NamesSomething(*facts)) return SessionVerdict::kNo;
  const uint64_t version = catalog.version();
  const auto key = std::make_pair<const NodeCatalog*, const router::Facts*>(&catalog, facts.get());
  const auto it = remembered_.find(key);
  if (it != remembered_.end() && it->second.version == version) return it->second.verdict;
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  Remembered& remembered = remembered_[key];
  remembered.facts = facts;
  remembered.version = version;
  remembered.verdict = Ask(catalog.Get(), *facts);
  // It may be there by now.
  if (remembered.verdict == SessionVerdict::kUnknownName) catalog.MarkStale();
  return remembered.verdict;
}

}  // namespace pgweir::proxy
