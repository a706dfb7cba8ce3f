#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "base/ids.h"
#include "base/ip_address.h"
#include "net/worker.h"
#include "observe/slow_log_writer.h"
#include "observe/span_exporter.h"
#include "pooler/pools.h"
#include "proxy/cancel_keys.h"
#include "proxy/control.h"
#include "proxy/login_failures.h"
#include "proxy/node_catalog.h"
#include "proxy/peer_cancels.h"
#include "proxy/placement_check.h"
#include "proxy/snapshot.h"
#include "proxy/statement_store.h"
#include "proxy/statistics.h"
#include "proxy/user_secrets.h"
#include "proxy/worker_tools.h"
#include "query-cache/query_cache.h"

namespace pgweir::pooler {
class NodeMonitor;
}

namespace pgweir::proxy {

class Session;
class SessionHost;
struct RelayMemory;

// What all workers share. Made and taken down by the supervisor; its parts are thread-safe.
struct Shared {
  pooler::Pools& pools;
  CancelKeys& cancel_keys;
  PeerCancels& peer_cancels;
  StatementStore& statements;
  CatalogLoader& catalogs;
  PlacementCheck& placements;
  pooler::NodeMonitor& nodes;
  std::vector<std::unique_ptr<SessionHost>>& hosts;  // by worker index; fixed while serving
  Statistics& statistics;
  Control& control;
  LatestSnapshot& latest;
  observe::SlowLogWriter& slow_log;
  observe::SpanExporter& spans;
  cache::QueryCache* cache;  // null = there is none
  SessionCounts session_counts{};
  ShardStatistics shard_statistics{};
  PlanTimes plan_times{};
  UserSecrets secrets{};
  LoginFailures failures{};
  std::atomic<int> clients{0};            // connections, logged in or not
  std::atomic<int> consoles{0};           // of them, those logged in to the console
  std::atomic<uint64_t> suspended_by{0};  // the console's session; 0 = not suspended
  std::atomic<uint64_t> next_session{1};
};

// How far a shutdown has come, for the sessions to act on.
enum class Ending : uint8_t {
  kNo,
  kWhenFree,  // as soon as the session holds no backend
  kNow,
};

// How a client reached us.
struct Peer {
  std::string address;  // "127.0.0.1:40000" or "unix"
  std::optional<IpAddress> ip = {};
  bool unix_socket = false;
  bool ours = false;  // pgweir itself asks, as whoever it says that it is
  // To be told so, unless it is a cancel request:
  bool over_limit = false;  // max_clients was reached
  bool late = false;        // new clients are not taken any more
};

// A cancel request on its way. Its own connection stays open until the request has been dealt with,
// as a server does: a client that sees it closed can rely on it.
class CancelTicket {
 public:
  CancelTicket(net::Worker& worker, net::Event& event) : worker_(worker), event_(&event) {}
  // Any thread, once.
  static void Finish(std::shared_ptr<CancelTicket> ticket);
  // On the worker of the connection that asked.
  bool finished() const { return finished_; }
  void Abandon() { event_ = nullptr; }

 private:
  net::Worker& worker_;
  net::Event* event_;
  bool finished_ = false;
};

// The sessions of one worker, and the snapshot that new ones start with. Used on the worker's
// thread, except where it says otherwise.
class SessionHost {
 public:
  SessionHost(net::Worker& worker, Shared& shared, SnapshotRef snapshot);
  ~SessionHost();

  net::Worker& worker() { return worker_; }
  Shared& shared() { return shared_; }
  WorkerTools& tools() { return tools_; }
  std::vector<std::unique_ptr<RelayMemory>>& spare_relays() { return spare_relays_; }
  const SnapshotRef& snapshot() const { return snapshot_; }
  // Looks whether there is a newer one than is known here yet: what is routed by it is routed alike
  // on all workers from one moment on. What was had of the old one may be gone.
  void Refresh() {
    if (shared_.latest.number() != snapshot_->number()) Use(shared_.latest.Get());
  }
  Ending ending() const { return ending_; }

  // Any thread. Serves a client's connection; takes the descriptor over.
  void Serve(int fd, Peer peer);
  // Any thread. Finds the session and gives it the request; finishes it when there is none.
  void Cancel(SessionId id, std::shared_ptr<CancelTicket> ticket);
  // Any thread. There is a newer snapshot.
  void Replace();
  void End(Ending ending);

  // Any thread. While suspended, clients are not read.
  void Suspend(bool suspended);

  // On the worker's thread; `visit` must not end a session.
  void ForEach(absl::FunctionRef<void(Session&)> visit);

  // Any thread; a hint for where to put new clients.
  int load() const { return load_.load(std::memory_order_relaxed); }

 private:
  net::Task<void> Run(std::unique_ptr<Session> session);
  void Use(SnapshotRef snapshot);

  net::Worker& worker_;
  Shared& shared_;
  SnapshotRef snapshot_;
  WorkerTools tools_;
  std::vector<std::unique_ptr<RelayMemory>> spare_relays_;
  Ending ending_ = Ending::kNo;
  absl::flat_hash_map<uint64_t, Session*> sessions_;
  std::atomic<int> load_{0};
};

}  // namespace pgweir::proxy
