#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "pooler/node_health.h"
#include "pooler/server_watch.h"

namespace pgweir::pooler {

struct ServerView {
  std::string host, port;
  std::string connection_string;    // leads to this server alone; its name among the node's
  std::vector<std::string> labels;  // what a replica is set apart for; none = for everybody
  ServerRole role = ServerRole::kUnknown;
  ServerCondition condition = ServerCondition::kUnknown;
  std::string error;
  uint64_t system_id = 0;
  uint32_t timeline = 0;  // 0 = not known
  uint64_t lsn = 0;       // replayed; of the primary: written; 0 = not known
  std::optional<uint64_t> lag_bytes;
  std::optional<Duration> lag;
  // A moment at which it is known to have had all that the primary had written by then.
  std::optional<TimePoint> caught_up_at;
  uint64_t answers = 0, failures = 0;
  std::shared_ptr<ServerWatch> watch;

  bool usable() const { return condition == ServerCondition::kUp; }
};

// A node's servers as they were last heard of. Never changes; a newer one takes its place.
struct NodeView {
  std::string database, node;      // the entry of the configuration, and its node
  std::string configured_primary;  // its connection string as it stands there
  uint64_t version = 0;            // grows
  uint64_t epoch = 0;              // grows when the primary or the list of servers changes
  std::vector<ServerView> servers;
  int primary = -1;       // -1 = not known
  bool headless = false;  // the last one is one no more: who needs one is to wait for the next
};
using NodeViewRef = std::shared_ptr<const NodeView>;

// Where the newest view of a node is found, as long as anybody is interested. Any thread.
class NodeStatus {
 public:
  NodeViewRef Get() const {
    const MutexLock lock(mutex_);
    return view_;
  }
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // By the monitor. An older one than there is counts for nothing.
  void Publish(NodeViewRef view) {
    const MutexLock lock(mutex_);
    if (view_ != nullptr && view->version <= view_->version) return;
    view_ = std::move(view);
    version_.store(view_->version, std::memory_order_release);
  }

 private:
  mutable Mutex mutex_;
  NodeViewRef view_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> version_{0};
};
using NodeStatusRef = std::shared_ptr<const NodeStatus>;

// One thread's look at a node: costs a load as long as there is nothing new.
class NodeReader {
 public:
  explicit NodeReader(NodeStatusRef status) : status_(std::move(status)), view_(status_->Get()) {}
  // Good until the next call.
  const NodeView& view() {
    if (status_->version() != view_->version) view_ = status_->Get();
    return *view_;
  }

 private:
  NodeStatusRef status_;
  NodeViewRef view_;
};

}  // namespace pgweir::pooler
