#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/node_catalog.h"
#include "proxy/snapshot.h"
#include "query-cache/query_cache.h"
#include "router/statement_cache.h"

namespace pgweir::proxy {

// What the rules and catalogs say of statements that might be cached, remembered for each until one
// of them changes. One a worker, for its thread only.
class CacheAdmissions {
 public:
  struct Known {
    router::FactsRef facts;  // so that its address means nothing else
    uint64_t catalog_version = 0;
    std::shared_ptr<const cache::Rules> rules;
    router::CatalogRef catalog;  // null = none is known yet
    cache::Admission admission;
    // Where it is counted.
    std::vector<cache::Tally*> tallies;

    void Hit() const;
    void Miss() const;
    void ShadowHit() const;
    void Refuse(cache::Refusal why) const;
  };

  // Good until the next call. `text` is one with these facts, of a session with these standard
  // strings; `statements` are the worker's.
  const Known& Of(NodeCatalog& catalog, const router::FactsRef& facts, std::string_view text,
                  bool standard_strings, router::StatementCache& statements,
                  const std::shared_ptr<const cache::Rules>& rules, cache::QueryCache& cache);

 private:
  static constexpr size_t kMaxRemembered = 20'000;

  absl::flat_hash_map<std::pair<const NodeCatalog*, const router::Facts*>, std::unique_ptr<Known>>
      known_;
};

// What the console calls a rule, a statement.
std::string RuleName(const cache::Rule& rule);
std::string DigestName(uint64_t digest);

}  // namespace pgweir::proxy
