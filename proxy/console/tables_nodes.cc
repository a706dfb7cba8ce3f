// SHOW NODES.

#include <chrono>
#include <map>
#include <optional>
#include <tuple>

#include "pooler/node_monitor.h"
#include "proxy/console/tables.h"

namespace pgweir::proxy {
namespace {

using pooler::ServerView;

// Backends by the server that they lead to.
std::map<const pooler::ServerWatch*, int> CountConnections(const View& view) {
  std::map<const pooler::ServerWatch*, int> counts;
  for (const auto& listed : view.shared().pools.List()) {
    const auto watch = listed.pool->target().watch;
    if (watch != nullptr) counts[watch.get()] += listed.pool->counts().open();
  }
  return counts;
}

template <typename T>
void NumberOrNull(Row& row, const std::optional<T>& value) {
  if (value.has_value()) {
    row.Number(static_cast<int64_t>(*value));
  } else {
    row.Null();
  }
}

}  // namespace

// One row a server. Databases may share a node: the servers of the same name are shown once, with
// what is known by way of the first of them that knows something.
net::Task<Rows> FillNodes(const View& view) {
  struct Shown {
    const ServerView* server = nullptr;
    int connections = 0;
  };
  const std::vector<pooler::NodeViewRef> nodes = view.shared().nodes.Views();
  auto counts = CountConnections(view);
  std::map<std::tuple<std::string, std::string, std::string>, Shown> shown;
  std::vector<decltype(shown)::key_type> order;
  for (const pooler::NodeViewRef& node : nodes) {
    for (const ServerView& server : node->servers) {
      const auto key = std::make_tuple(node->node, server.host, server.port);
      if (!shown.contains(key)) order.push_back(key);
      Shown& one = shown[key];
      one.connections += counts[server.watch.get()];
      const bool knows_more =
          one.server == nullptr || one.server->condition == pooler::ServerCondition::kUnknown;
      if (knows_more) one.server = &server;
    }
  }
  Rows rows;
  for (const auto& key : order) {
    const auto& [server, connections] = shown[key];
    std::optional<int64_t> lag_ms;
    if (server->lag.has_value()) {
      lag_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*server->lag).count();
    }
    Row& row = rows.emplace_back();
    row.Text(std::get<0>(key)).Text(NameOf(server->role)).Text(server->host).Text(server->port);
    row.Text(NameOf(server->condition));
    NumberOrNull(row, server->lag_bytes);
    NumberOrNull(row, lag_ms);
    row.Number(connections).TextOrNull(server->error);
  }
  co_return rows;
}

}  // namespace pgweir::proxy
