#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/worker.h"
#include "pooler/node_monitor.h"
#include "pooler/pools.h"
#include "proxy/dashboard.h"
#include "proxy/host.h"
#include "proxy/http_server.h"
#include "proxy/listener.h"

namespace pgweir::proxy {

// The process: workers, pools and listeners, made from a configuration, kept through reloads, and
// taken down in order. Runs on the main thread.
class Supervisor final : public Control {
 public:
  Supervisor(std::string config_path, SnapshotRef snapshot);
  ~Supervisor();

  // Serves until a signal ends it, after a call of `on_ready`. An error when it could not begin.
  Status Run(const std::function<void()>& on_ready);
  // Afterwards: whether nothing hangs on a server that does not answer libpq. Else the process is
  // to end without taking this object down, which would wait for it.
  bool CanBeTakenDown();

 private:
  void AwaitSignal();
  void OnSignal(int signal);
  Status Reload();
  void Serve(SnapshotRef snapshot);
  void CheckPlacements();
  void RequestReload(Done done) override;
  void RequestChange(Edit edit, Done done) override;
  void RequestMapChange(ShardMapChange change, Done done) override;
  void RequestFlush(std::function<bool(const cache::Entry&)> matches, Done done) override;
  void RequestShutdown(Ending ending) override;
  bool shutting_down() const override { return stopping_; }
  void PauseAll(bool pause);
  void BeginEnding(Ending ending);
  void OnNodeChange(const pooler::NodeViewRef& view);
  void Tick();
  void EndPeriod();
  HttpAnswer AnswerHttp(std::string_view path);

  const std::string config_path_;
  SnapshotRef snapshot_;
  LatestSnapshot latest_{snapshot_};
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer ticker_;
  std::vector<std::unique_ptr<net::Worker>> workers_;
  StatementStore statements_;
  CatalogLoader catalogs_;
  PlacementCheck placements_;
  std::unique_ptr<pooler::NodeMonitor> nodes_;
  observe::SlowLogWriter slow_log_;
  observe::SpanExporter spans_;
  std::vector<std::unique_ptr<SessionHost>> hosts_;
  std::unique_ptr<pooler::Connector> connector_;
  std::unique_ptr<pooler::Canceller> canceller_;
  std::unique_ptr<pooler::Pools> pools_;
  CancelKeys cancel_keys_;
  std::unique_ptr<PeerCancels> peer_cancels_;
  std::unique_ptr<Statistics> statistics_;
  std::map<std::pair<std::string, std::string>, uint64_t> node_epochs_;  // the node monitor's
  std::unique_ptr<cache::QueryCache> cache_;                             // null = there is none
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Listener> listener_;
  Dashboard dashboard_;
  std::unique_ptr<HttpServer> http_;  // null = none
  Ending ending_ = Ending::kNo;
  std::atomic<bool> stopping_{false};  // a first signal, or a console's SHUTDOWN, has come
  TimePoint give_up_at_ = kNoDeadline;
  int ticks_ = 0;
  TimePoint period_began_ = Clock::now();
};

}  // namespace pgweir::proxy
