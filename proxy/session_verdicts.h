#pragma once

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "proxy/node_catalog.h"
#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::proxy {

// Whether statements may change their session unseen, by the catalogs of the nodes; remembered for
// each statement until the catalog changes. One a worker, for its thread only.
class SessionVerdicts {
 public:
  router::SessionVerdict Verdict(NodeCatalog& catalog, const router::FactsRef& facts);

 private:
  // Statements that are remembered; beyond that the memory starts anew.
  static constexpr size_t kMaxRemembered = 20'000;

  struct Remembered {
    router::FactsRef facts;  // so that its address means nothing else
    uint64_t version = 0;
    router::SessionVerdict verdict = router::SessionVerdict::kUnknownName;
  };
  absl::flat_hash_map<std::pair<const NodeCatalog*, const router::Facts*>, Remembered> remembered_;
};

}  // namespace pgweir::proxy
