#include "proxy/node_copies.h"

#include <algorithm>

#include "base/log.h"
#include "pooler/replica_pick.h"

namespace pgweir::proxy {

std::shared_ptr<pooler::Pool> NodeCopies::Pick(pooler::Pools& pools, const config::Config& config,
                                               const Wish& wish) {
  const pooler::NodeView& view = reader_.view();
  const auto index =
      pooler::PickReplica(view, {.label = wish.label, .caught_up_since = wish.since}, random_);
  if (!index.has_value()) return nullptr;
  const pooler::ServerView& server = view.servers[*index];
  picked_ = server.connection_string;
  return PoolOf(pools, config, server);
}

bool NodeCopies::PickIsOut() {
  const pooler::NodeView& view = reader_.view();
  return std::ranges::none_of(view.servers, [this](const pooler::ServerView& server) {
    return server.connection_string == picked_ && server.usable() &&
           server.role == pooler::ServerRole::kReplica;
  });
}

std::shared_ptr<pooler::Pool> NodeCopies::PoolOf(pooler::Pools& pools, const config::Config& config,
                                                 const pooler::ServerView& server) {
  const auto known = pools_.find(server.connection_string);
  if (known != pools_.end()) return known->second;
  const config::Database* database = config.FindDatabase(session_.database);
  const config::Node* node = database == nullptr ? nullptr : database->FindNode(session_.node);
  if (node == nullptr) return nullptr;
  pooler::Pools::Client asking{*database, session_.database, session_.user,
                               session_.secret.has_value() ? &*session_.secret : nullptr};
  asking.at = node;
  auto pool = pools.GetFor(config, asking, server);
  if (!pool.ok()) {
    LogWarn("no pool for a replica host={} port={}: {}", server.host, server.port,
            MessageOf(pool.status()));
    return nullptr;
  }
  return pools_.insert_or_assign(server.connection_string, *std::move(pool)).first->second;
}

}  // namespace pgweir::proxy
