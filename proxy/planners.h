#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "proxy/node_catalog.h"
#include "router/planner.h"

namespace pgweir::proxy {

// The planners of one worker, for its thread only: one for each database, made anew when the shard
// map or the catalog is another.
class Planners {
 public:
  // Good until the next call. `catalog` is of the node of what isn't divided.
  router::Planner& Of(NodeCatalog& catalog, const router::ShardMapRef& map) {
    if (&catalog != last_) {
      last_ = &catalog;
      last_entry_ = &planners_[&catalog];
    }
    Entry& entry = *last_entry_;
    const uint64_t version = catalog.version();
    if (entry.planner == nullptr || entry.version != version || entry.planner->map() != map) {
      entry.version = version;
      entry.planner = std::make_unique<router::Planner>(map, catalog.Get());
    }
    return *entry.planner;
  }

 private:
  // A version is never another catalog's, so that a key that is used again finds nothing old.
  struct Entry {
    uint64_t version = 0;
    std::unique_ptr<router::Planner> planner;
  };
  absl::flat_hash_map<const NodeCatalog*, Entry> planners_;
  const NodeCatalog* last_ = nullptr;  // that was asked about
  Entry* last_entry_ = nullptr;        // no other is made meanwhile
};

}  // namespace pgweir::proxy
