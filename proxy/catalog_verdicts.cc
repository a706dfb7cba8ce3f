#include "proxy/catalog_verdicts.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

using router::ReadVerdict;
using router::SessionVerdict;

bool NamesSomething(const router::Facts& facts) {
  return std::any_of(facts.statements.begin(), facts.statements.end(),
                     [](const router::StatementFacts& statement) {
                       return !statement.functions.empty() || !statement.relations.empty();
                     });
}

SessionVerdict JudgeSession(const router::Catalog& catalog, const router::Facts& facts) {
  for (const router::StatementFacts& statement : facts.statements) {
    const SessionVerdict verdict = catalog.MayChangeSession(statement);
    if (verdict != SessionVerdict::kNo) return verdict;
  }
  return SessionVerdict::kNo;
}

ReadVerdict JudgeReads(const router::Catalog& catalog, const router::Facts& facts) {
  if (!facts.not_understood.empty()) return ReadVerdict::kNoQuery;
  bool read_only = false;
  for (const router::StatementFacts& statement : facts.statements) {
    // Its transaction may end within the text.
    if (read_only && statement.kind == router::StatementKind::kTransaction) {
      return ReadVerdict::kNoQuery;
    }
    read_only = read_only || statement.begins_read_only;
    if (read_only) continue;
    const ReadVerdict verdict = router::JudgeRead(statement, catalog);
    if (verdict != ReadVerdict::kRead) return verdict;
  }
  return ReadVerdict::kRead;
}

}  // namespace

SessionVerdict CatalogVerdicts::OfSession(NodeCatalog& catalog, const router::FactsRef& facts) {
  if (!NamesSomething(*facts)) return SessionVerdict::kNo;
  return Find(catalog, facts).session;
}

ReadVerdict CatalogVerdicts::OfReads(NodeCatalog& catalog, const router::FactsRef& facts) {
  return Find(catalog, facts).reads;
}

const CatalogVerdicts::Remembered& CatalogVerdicts::Find(NodeCatalog& catalog,
                                                         const router::FactsRef& facts) {
  const uint64_t version = catalog.version();
  const auto key = std::make_pair<const NodeCatalog*, const router::Facts*>(&catalog, facts.get());
  const auto it = remembered_.find(key);
  if (it != remembered_.end() && it->second.version == version) return it->second;
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  Remembered& remembered = remembered_[key];
  remembered = {.facts = facts, .version = version};
  if (const router::CatalogRef known = catalog.Get(); known != nullptr) {
    remembered.session = JudgeSession(*known, *facts);
    remembered.reads = JudgeReads(*known, *facts);
  }
  // It may be there by now.
  if (remembered.session == SessionVerdict::kUnknownName) catalog.MarkStale();
  return remembered;
}

}  // namespace pgweir::proxy
