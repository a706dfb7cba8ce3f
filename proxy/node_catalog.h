#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "pooler/pool.h"
#include "proxy/catalog_question.h"
#include "router/catalog.h"

namespace pgweir::proxy {

// All that is to be known of a database. On a thread that may wait.
StatusOr<router::CatalogRows> AskForCatalog(const pooler::Target& target,
                                            const CatalogPatience& patience);

// What is known of one database of one node. Shared by all its clients; thread-safe.
class NodeCatalog {
 public:
  // The newest; null before the first one.
  router::CatalogRef Get() const;
  // Changes whenever Get() gives another one, and is never the same for two databases.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Something has happened that it may not know of: it is asked for anew soon.
  void MarkStale() { stale_.store(true, std::memory_order_relaxed); }
  // Its objects have been changed: until it has been asked for anew it may be wrong.
  void MarkChanged() {
    changes_.fetch_add(1, std::memory_order_acq_rel);
    MarkStale();
  }
  bool doubtful() const {
    return changes_.load(std::memory_order_acquire) !=
           known_changes_.load(std::memory_order_acquire);
  }
  // The same, at once: from when answered() is as much as this returns, it has been asked for anew.
  uint64_t AskAtOnce() { return wanted_.fetch_add(1, std::memory_order_acq_rel) + 1; }
  uint64_t answered() const { return answered_.load(std::memory_order_acquire); }

 private:
  friend class CatalogLoader;
  static uint64_t NextVersion();

  mutable Mutex mutex_;
  router::CatalogRef catalog_ ABSL_GUARDED_BY(mutex_);
  std::weak_ptr<pooler::Pool> pool_ ABSL_GUARDED_BY(mutex_);  // whose login asks
  std::atomic<uint64_t> version_{NextVersion()};
  std::atomic<bool> stale_{true};
  std::atomic<uint64_t> wanted_{0}, answered_{0};
  std::atomic<uint64_t> changes_{0}, known_changes_{0};
  TimePoint not_before_;  // the loader's
  TimePoint refresh_at_;
};
using NodeCatalogRef = std::shared_ptr<NodeCatalog>;

// Asks the nodes for their catalogs, on a thread and connections of its own, which it closes again:
// when a catalog is first wanted, soon after it became stale, and once a minute.
class CatalogLoader {
 public:
  CatalogLoader();
  // A question under way is waited for, within its time-out.
  ~CatalogLoader();
  // Asks no more. Whether a question under way has ended by the deadline.
  bool Stop(TimePoint deadline);
  CatalogLoader(const CatalogLoader&) = delete;
  CatalogLoader& operator=(const CatalogLoader&) = delete;

  // Any thread. The catalog of this database of this node, for as long as the caller holds it.
  NodeCatalogRef Get(const std::string& node, const std::string& database,
                     const std::shared_ptr<pooler::Pool>& pool) ABSL_LOCKS_EXCLUDED(mutex_);

  // Any thread. What is known of it because somebody holds it; null when that is nothing.
  router::CatalogRef Find(const std::string& node, const std::string& database)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Any thread. Whether the pool's login is just being used. Of a paused pool it is not, once it
  // has been found not to be.
  bool Uses(const pooler::Pool& pool) const { return used_.load() == &pool; }

 private:
  void Run();
  std::vector<NodeCatalogRef> Due();
  void Load(NodeCatalog& catalog);
  void LoadOnce(NodeCatalog& catalog);

  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, NodeCatalogRef> catalogs_ ABSL_GUARDED_BY(mutex_);
  std::atomic<const pooler::Pool*> used_{nullptr};
  std::atomic<bool> stopping_{false};
  std::counting_semaphore<> wanted_{0};  // a new one is
  std::binary_semaphore ended_{0};       // the thread has
  std::thread thread_;
};

}  // namespace pgweir::proxy
