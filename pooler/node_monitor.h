#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "net/worker.h"
#include "pooler/node_view.h"
#include "pooler/pool.h"
#include "pooler/server_list.h"
#include "pooler/worker_readiness.h"

namespace pgweir::pooler {

// Watches the servers of all nodes and says which are usable and which is the primary. The servers
// of a node that has several are asked again and again, each over one connection of its own, on a
// thread of its own; that one server of a node is there is learnt from the logins of its clients,
// because nothing depends on it.
//
// It asks by the login that the connection string names, else by one that clients have. Outlives
// all who have something of it. Thread-safe.
class NodeMonitor {
 public:
  struct Hooks {
    // A node is new, or its primary or its servers are others. Any thread, with no lock held; an
    // older view may come after a newer one.
    std::function<void(const NodeViewRef&)> on_change;
    // Whether connections to the servers are unwanted just now, by the configuration's entry.
    std::function<bool(const std::string& database)> is_paused;
  };

  explicit NodeMonitor(Hooks hooks);
  ~NodeMonitor();
  NodeMonitor(const NodeMonitor&) = delete;
  NodeMonitor& operator=(const NodeMonitor&) = delete;

  // Asks no more, and calls nobody. Waits for no server.
  void Stop();

  // The nodes from now on; what is known of servers that stay is kept.
  void Configure(const std::vector<NodeSettings>& nodes);

  // Null when there is no such node.
  NodeStatusRef Find(const std::string& database, const std::string& node) const;
  // All nodes, in order.
  std::vector<NodeViewRef> Views() const;

  // A pool whose login may be used to ask the node's servers.
  void Lend(const std::string& database, const std::string& node,
            const std::shared_ptr<Pool>& pool);

  // Asks the node's servers at once. Those who hold the server's watch say Suspect() there.
  void Suspect(const std::string& database, const std::string& node, size_t server);

 private:
  using Key = std::pair<std::string, std::string>;
  struct Server;
  struct Node;
  using ServerRef = std::shared_ptr<Server>;

  ServerRef MakeServer(const Key& key, const NodeServer& is, bool alone);
  NodeViewRef Renew(const Key& key, const NodeSettings& settings,
                    const std::vector<NodeServer>& servers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  NodeViewRef ViewOf(Node& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const ServerRef& server, absl::FunctionRef<void(NodeHealth&, size_t)> change);

  // On the worker's thread.
  net::Task<void> Watch(ServerRef server);
  net::Task<void> Round(ServerRef server);
  net::Task<StatusOr<ServerAnswer>> Ask(Server& server, const Target& target);
  StatusOr<Target> Login(const Server& server);
  Duration IntervalOf(const Server& server);
  void AskAll(const Key& key);
  void OnNews(const ServerRef& server, ServerWatch::News news, const Status& status);

  const Hooks hooks_;
  mutable Mutex mutex_;
  std::map<Key, std::unique_ptr<Node>> nodes_ ABSL_GUARDED_BY(mutex_);
  net::Worker worker_;
  Waits waits_{worker_};
};

}  // namespace pgweir::pooler
