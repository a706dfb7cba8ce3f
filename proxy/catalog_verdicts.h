#pragma once

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "proxy/node_catalog.h"
#include "router/catalog.h"
#include "router/read_verdict.h"
#include "router/statement_facts.h"

namespace pgweir::proxy {

// What the catalogs of the nodes say of statements, remembered for each until the catalog changes.
// One a worker, for its thread only.
class CatalogVerdicts {
 public:
  // Whether it may change its session unseen.
  router::SessionVerdict OfSession(NodeCatalog& catalog, const router::FactsRef& facts);
  // Whether all its statements are surely reads; else why the first one that isn't is not. BEGIN
  // READ ONLY makes all that follow it reads.
  router::ReadVerdict OfReads(NodeCatalog& catalog, const router::FactsRef& facts);

 private:
  // Statements that are remembered; beyond that the memory starts anew.
  static constexpr size_t kMaxRemembered = 20'000;

  struct Remembered {
    router::FactsRef facts;  // so that its address means nothing else
    uint64_t version = 0;
    router::SessionVerdict session = router::SessionVerdict::kUnknownName;
    router::ReadVerdict reads = router::ReadVerdict::kUnknownName;
  };
  const Remembered& Find(NodeCatalog& catalog, const router::FactsRef& facts);
  absl::flat_hash_map<std::pair<const NodeCatalog*, const router::Facts*>, Remembered> remembered_;
};

}  // namespace pgweir::proxy
