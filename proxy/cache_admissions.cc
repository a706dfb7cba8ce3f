#include "proxy/cache_admissions.h"

#include <spdlog/fmt/fmt.h>

namespace pgweir::proxy {
namespace {

// A statement that no rule is for is counted in the sum only: there may be any number of them.
std::vector<cache::Tally*> TalliesOf(const CacheAdmissions::Known& known,
                                     cache::QueryCache& cache) {
  std::vector<cache::Tally*> tallies = {&cache.total};
  if (known.admission.rule == nullptr) return tallies;
  tallies.push_back(&cache.by_rule.Of(RuleName(*known.admission.rule)));
  tallies.push_back(&cache.by_digest.Of(DigestName(known.facts->digest)));
  for (const router::StatementFacts& statement : known.facts->statements) {
    for (const router::Relation& relation : statement.relations) {
      for (const router::CatalogRelation* found : known.catalog->Find(relation.name)) {
        tallies.push_back(
            &cache.by_table.Of(fmt::format("{}.{}", found->name.schema, found->name.name)));
      }
    }
  }
  return tallies;
}

}  // namespace

std::string RuleName(const cache::Rule& rule) { return fmt::format("{}", rule.number); }

std::string DigestName(uint64_t digest) { return fmt::format("{:016x}", digest); }

void CacheAdmissions::Known::Hit() const {
  for (cache::Tally* tally : tallies) tally->Hit();
}

void CacheAdmissions::Known::Miss() const {
  for (cache::Tally* tally : tallies) tally->Miss();
}

void CacheAdmissions::Known::ShadowHit() const {
  for (cache::Tally* tally : tallies) tally->ShadowHit();
}

void CacheAdmissions::Known::Refuse(cache::Refusal why) const {
  for (cache::Tally* tally : tallies) tally->Refuse(why);
}

const CacheAdmissions::Known& CacheAdmissions::Of(NodeCatalog& catalog,
                                                  const router::FactsRef& facts,
                                                  std::string_view text, bool standard_strings,
                                                  router::StatementCache& statements,
                                                  const std::shared_ptr<const cache::Rules>& rules,
                                                  cache::QueryCache& cache) {
  const auto key = std::make_pair<const NodeCatalog*, const router::Facts*>(&catalog, facts.get());
  const uint64_t version = catalog.version();
  const auto found = known_.find(key);
  if (found != known_.end() && found->second->catalog_version == version &&
      found->second->rules == rules) {
    return *found->second;
  }
  if (known_.size() >= kMaxRemembered) known_.clear();
  auto fresh = std::make_unique<Known>();
  fresh->facts = facts;
  fresh->catalog_version = version;
  fresh->rules = rules;
  fresh->catalog = catalog.Get();
  if (fresh->catalog == nullptr) {
    fresh->admission.refusal = cache::Refusal::kUnknownName;
  } else {
    statements.Find(text, standard_strings);
    fresh->admission =
        cache::Admit(*facts, statements.scan().normalised(), *fresh->catalog, *rules);
  }
  // A name that isn't there may be by now.
  if (fresh->admission.refusal == cache::Refusal::kUnknownName) catalog.MarkStale();
  fresh->tallies = TalliesOf(*fresh, cache);
  return *(known_[key] = std::move(fresh));
}

}  // namespace pgweir::proxy
