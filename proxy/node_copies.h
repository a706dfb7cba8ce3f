#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "config/config.h"
#include "pooler/node_monitor.h"
#include "pooler/pools.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// The servers of a node as one session uses them: its primary's pool, and those of the replicas
// that may answer its reads. For the session's thread.
class NodeCopies {
 public:
  struct Session {
    std::string user, database;
    std::string node;                   // whose servers these are
    std::optional<std::string> secret;  // the user's, by which to log in to servers
  };

  NodeCopies(pooler::NodeStatusRef status, std::shared_ptr<pooler::Pool> primary, Session session)
      : reader_(std::move(status)),
        primary_(std::move(primary)),
        session_(std::move(session)),
        random_(std::random_device()()) {}

  const std::shared_ptr<pooler::Pool>& primary() const { return primary_; }

  // A read's wishes.
  struct Wish {
    std::string_view label = "";  // "" = a replica that is set apart for nothing
    // It is to see all that was committed before; the epoch = it need not.
    TimePoint since{};
  };
  // The pool of a replica for it; null when none will do just now. `config` is the newest.
  std::shared_ptr<pooler::Pool> Pick(pooler::Pools& pools, const config::Config& config,
                                     const Wish& wish);
  // The one that was last picked has failed since, or lags too far behind.
  bool PickIsOut();
  // Its pool is not to be used again: it may be one that the configuration has no more.
  void ForgetPick() { pools_.erase(picked_); }

 private:
  std::shared_ptr<pooler::Pool> PoolOf(pooler::Pools& pools, const config::Config& config,
                                       const pooler::ServerView& server);

  pooler::NodeReader reader_;
  const std::shared_ptr<pooler::Pool> primary_;
  const Session session_;
  std::minstd_rand random_;
  std::string picked_;                                          // the server's connection string
  std::map<std::string, std::shared_ptr<pooler::Pool>> pools_;  // by the server's
};

}  // namespace pgweir::proxy
