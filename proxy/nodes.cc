#include "proxy/nodes.h"

namespace pgweir::proxy {

std::vector<pooler::NodeSettings> NodesOf(const config::Config& config) {
  std::vector<pooler::NodeSettings> nodes;
  for (const auto& [name, database] : config.databases) {
    for (const config::Node& one : database.all_nodes()) {
      pooler::NodeSettings& node = nodes.emplace_back();
      node.database = name;
      node.node = one.name;
      node.primary = one.primary;
      for (const config::Replica& replica : one.replicas) {
        node.replicas.push_back({replica.conninfo, replica.labels});
      }
      node.max_lag = database.max_lag;
      node.check_interval = database.pool.health_check_interval;
    }
  }
  return nodes;
}

}  // namespace pgweir::proxy
