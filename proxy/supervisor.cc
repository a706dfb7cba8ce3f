#include "proxy/supervisor.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

#include "base/log.h"
#include "config/loader.h"
#include "config/shard_map_diff.h"
#include "proxy/health.h"
#include "proxy/http_post.h"
#include "proxy/metrics.h"
#include "proxy/nodes.h"
#include "proxy/placement_logins.h"
#include "proxy/service_notify.h"

namespace pgweir::proxy {
namespace {

constexpr int kParallelLogins = 16;
constexpr int kCancelThreads = 2;
constexpr size_t kMaxQueuedCancels = 1000;
constexpr std::chrono::milliseconds kTick{100};
constexpr int kTicksPerMaintenance = 10;
// After "at once", how long sessions have to end before they are abandoned.
constexpr std::chrono::seconds kAtOnce{6};
// How long the end waits for servers that are being asked something through libpq.
constexpr std::chrono::seconds kServersPatience{2};
// Likewise for the collector of traces.
constexpr std::chrono::seconds kCollectorsPatience{1};

int WorkerCount(const config::Config& config) {
  if (config.listen.workers > 0) return config.listen.workers;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void LogWarnings(const config::Config& config) {
  for (const std::string& warning : config.warnings) LogWarn("{}", warning);
}

// Whose symbols lie elsewhere from now on.
void LogPatternMoves(const config::Config& before, const config::Config& after) {
  for (const auto& [name, database] : after.databases) {
    const auto was = before.databases.find(name);
    if (was == before.databases.end() || was->second.shard_map == nullptr) continue;
    if (database.shard_map == nullptr) continue;
    const auto moves = config::PatternMoves(*was->second.shard_map, *database.shard_map);
    if (!moves.empty()) LogInfo("shard map changed database={} {}", name, Describe(moves));
  }
}

std::string MonotonicMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

Supervisor::Supervisor(std::string config_path, SnapshotRef snapshot)
    : config_path_(std::move(config_path)),
      snapshot_(std::move(snapshot)),
      signals_(io_, SIGHUP, SIGINT, SIGTERM),
      ticker_(io_),
      slow_log_(snapshot_->config().slow_log),
      spans_(snapshot_->config().traces, PGWEIR_VERSION, PostJson),
      cancel_keys_(snapshot_->config().peer_id) {
  for (const int signal : {SIGQUIT, SIGUSR1, SIGUSR2}) signals_.add(signal);
  signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  const int count = WorkerCount(snapshot_->config());
  for (int i = 0; i < count; ++i) workers_.push_back(std::make_unique<net::Worker>(i));
  connector_ = std::make_unique<pooler::Connector>(kParallelLogins);
  canceller_ = std::make_unique<pooler::Canceller>(kCancelThreads, kMaxQueuedCancels);
  pools_ =
      std::make_unique<pooler::Pools>(pooler::PoolServices{*connector_, *canceller_, workers_});
  nodes_ = std::make_unique<pooler::NodeMonitor>(pooler::NodeMonitor::Hooks{
      .on_change = [this](const pooler::NodeViewRef& view) { OnNodeChange(view); },
      .is_paused = [this](const std::string& database) { return pools_->paused(database); }});
  nodes_->Configure(NodesOf(snapshot_->config()));
  peer_cancels_ = std::make_unique<PeerCancels>();
  statistics_ = std::make_unique<Statistics>(workers_.size());
  const config::Cache& cache = snapshot_->config().cache;
  if (cache.enabled) {
    cache_ = std::make_unique<cache::QueryCache>(
        cache::Store::Limits{cache.max_bytes, cache.max_entry_bytes});
  }
  shared_ = std::make_unique<Shared>(*pools_, cancel_keys_, *peer_cancels_, statements_, catalogs_,
                                     placements_, *nodes_, hosts_, *statistics_, *this, latest_,
                                     slow_log_, spans_, cache_.get());
  for (auto& worker : workers_) {
    hosts_.push_back(std::make_unique<SessionHost>(*worker, *shared_, snapshot_));
  }
  listener_ = std::make_unique<Listener>(io_, *shared_);
}

// Another primary may lack what the last one had committed.
void Supervisor::OnNodeChange(const pooler::NodeViewRef& view) {
  pools_->Follow(view);
  if (cache_ == nullptr) return;
  uint64_t& epoch = node_epochs_[{view->database, view->node}];
  if (std::exchange(epoch, view->epoch) != view->epoch) cache_->versions.BumpAll();
}

// Nobody new comes in, what serves sessions ends, then what they used.
Supervisor::~Supervisor() {
  http_.reset();
  listener_.reset();
  nodes_->Stop();
  connector_.reset();
  canceller_.reset();
  peer_cancels_.reset();
  shared_->secrets.CloseAll();
  pools_->CloseAll();
  for (auto& worker : workers_) worker->Stop();
  for (auto& worker : workers_) worker->Join();
}

Status Supervisor::Run(const std::function<void()>& on_ready) {
  const Status opened = listener_->Open(snapshot_->config().listen);
  if (!opened.ok()) return opened;
  if (const std::string& http = snapshot_->config().admin.http; !http.empty()) {
    http_ = std::make_unique<HttpServer>(
        io_, [this](std::string_view path) { return AnswerHttp(path); });
    const bool shared = snapshot_->config().listen.so_reuseport;
    const Status ready = http_->Protect(snapshot_->config().admin);
    if (!ready.ok()) return ready;
    if (const Status served = http_->Open(http, shared); !served.ok()) return served;
  }
  LogWarnings(snapshot_->config());
  CheckPlacements();
  const bool batches = workers_.front()->sends().on();
  for (auto& worker : workers_) worker->Start(fmt::format("worker-{}", worker->index()));
  AwaitSignal();
  Tick();
  LogInfo("serving {} workers={} databases={} io_uring={}", listener_->Addresses(), workers_.size(),
          snapshot_->config().databases.size(), batches ? "yes" : "no");
  NotifyServiceManager("READY=1");
  const std::string line = fmt::format("pgweir: ready, listening on {}\n", listener_->Addresses());
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  on_ready();
  io_.run();
  LogInfo("stopped");
  return absl::OkStatus();
}

bool Supervisor::CanBeTakenDown() {
  const TimePoint deadline = Clock::now() + kServersPatience;
  const bool spans_done = spans_.Stop(Clock::now() + kCollectorsPatience);
  return canceller_->Stop(deadline) && peer_cancels_->Stop(deadline) && catalogs_.Stop(deadline) &&
         placements_.Stop(deadline) && slow_log_.Stop(deadline) && spans_done;
}

void Supervisor::AwaitSignal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    OnSignal(signal);
    AwaitSignal();
  });
}

void Supervisor::OnSignal(int signal) {
  if (signal == SIGHUP) {
    [[maybe_unused]] const Status reloaded = Reload();  // it has said what there is to say
    return;
  }
  if (signal == SIGUSR1 || signal == SIGUSR2) return PauseAll(signal == SIGUSR1);
  const bool at_once = signal == SIGQUIT || stopping_;
  if (at_once) return BeginEnding(Ending::kNow);
  BeginEnding(signal == SIGTERM ? Ending::kNo : Ending::kWhenFree);
}

void Supervisor::PauseAll(bool pause) {
  LogInfo("{} by signal", pause ? "PAUSE" : "RESUME");
  pools_->SetPaused("", pause);
  if (pause || shared_->suspended_by.exchange(0) == 0) return;
  for (const auto& host : hosts_) host->Suspend(false);
}

// kNo: when the last client has left.
void Supervisor::BeginEnding(Ending ending) {
  const std::string_view when = ending == Ending::kNow        ? "at once"
                                : ending == Ending::kWhenFree ? "when all transactions have ended"
                                                              : "when all clients have left";
  LogInfo("stopping {} clients={}", when, shared_->clients.load());
  NotifyServiceManager("STOPPING=1");
  stopping_ = true;
  if (ending == Ending::kNow) {
    listener_->Close();
  } else {
    listener_->Leave(snapshot_->config().peer_id != 0);
  }
  ending_ = ending;
  if (ending == Ending::kNow) give_up_at_ = Clock::now() + kAtOnce;
  for (const auto& host : hosts_) host->End(ending);
}

// Also opens the log file anew. A configuration that can't be read leaves the old one serving.
Status Supervisor::Reload() {
  NotifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" + MonotonicMicroseconds());
  const Status reopened = ReopenLog();
  if (!reopened.ok()) LogError("{}", MessageOf(reopened));
  auto next = Snapshot::Load(config_path_);
  const Status outcome = next.status();
  if (outcome.ok()) {
    for (const std::string& key : config::NeedRestart(snapshot_->config(), (*next)->config())) {
      LogWarn("reload: {} changes at the next restart only", key);
    }
    LogPatternMoves(snapshot_->config(), (*next)->config());
    Serve(*std::move(next));
    if (http_ != nullptr) {
      const Status ready = http_->Protect(snapshot_->config().admin);
      if (!ready.ok()) LogError("reload: the old files stay: {}", MessageOf(ready));
    }
    LogWarnings(snapshot_->config());
    LogInfo("reloaded {}", config_path_);
  } else {
    LogError("reload failed, the old configuration stays: {}", MessageOf(outcome));
  }
  NotifyServiceManager("READY=1");
  return outcome;
}

void Supervisor::Serve(SnapshotRef snapshot) {
  snapshot_ = std::move(snapshot);
  latest_.Set(snapshot_);
  for (const auto& host : hosts_) host->Replace();
  shared_->secrets.Reset();
  // A secret of auth.query's is compared when its user logs in next.
  pools_->ForgetKeysUnless([this](const std::string& user, const std::string& secret) {
    const std::string* now = snapshot_->users().Find(user);
    return now != nullptr ? *now == secret : snapshot_->config().AsksForSecrets();
  });
  if (cache_ != nullptr) {
    const config::Cache& cache = snapshot_->config().cache;
    cache_->store.SetLimits({cache.max_bytes, cache.max_entry_bytes});
  }
  nodes_->Configure(NodesOf(snapshot_->config()));
  pools_->Reconfigure(snapshot_->config(), snapshot_->number());
  listener_->Adapt(snapshot_->config().listen);
  slow_log_.Configure(snapshot_->config().slow_log);
  spans_.Configure(snapshot_->config().traces);
  CheckPlacements();
}

// Of the maps that are new. Where no login is known yet, the first client's does.
void Supervisor::CheckPlacements() {
  for (const auto& [name, database] : snapshot_->config().databases) {
    const router::ShardMapRef map = snapshot_->ShardMapOf(name);
    if (map == nullptr || pools_->paused(name)) continue;
    auto logins = LoginsAtLoad(*snapshot_, database);
    if (!logins.empty()) placements_.Guess(name, map, std::move(logins));
  }
}

// --- for consoles, on their threads ---

void Supervisor::RequestReload(Done done) {
  boost::asio::post(io_, [this, done = std::move(done)]() mutable { done(Reload()); });
}

void Supervisor::RequestChange(Edit edit, Done done) {
  boost::asio::post(io_, [this, edit = std::move(edit), done = std::move(done)]() mutable {
    config::Config config = snapshot_->config();
    const Status changed = edit(config);
    if (changed.ok()) Serve(snapshot_->With(std::move(config)));
    done(changed);
  });
}

void Supervisor::RequestMapChange(ShardMapChange change, Done done) {
  boost::asio::post(io_, [this, change = std::move(change), done = std::move(done)]() mutable {
    Status outcome = ChangeShardMap(config_path_, *snapshot_, change);
    if (outcome.ok()) {
      outcome = Reload();
      if (!outcome.ok()) {
        outcome = Errorf(SqlStateOf(outcome), "the shard map was written, but not loaded: {}",
                         MessageOf(outcome));
      }
    }
    done(std::move(outcome));
  });
}

void Supervisor::RequestFlush(std::function<bool(const cache::Entry&)> matches, Done done) {
  boost::asio::post(io_, [this, matches = std::move(matches), done = std::move(done)]() mutable {
    if (cache_ != nullptr) LogInfo("CACHE FLUSH entries={}", cache_->store.EraseIf(matches));
    done(absl::OkStatus());
  });
}

void Supervisor::RequestShutdown(Ending ending) {
  boost::asio::post(io_, [this, ending] { BeginEnding(ending); });
}

HttpAnswer Supervisor::AnswerHttp(std::string_view path) {
  if (path == "/") return Dashboard::Page();
  if (path == "/dashboard.json") return dashboard_.Data(*shared_, *snapshot_, Clock::now());
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", MetricsText(*shared_, *snapshot_)};
  }
  if (path == "/health") return Health();
  if (path == "/ready") return Ready(*shared_);
  if (path == "/health/db") return DatabaseHealth(*shared_);
  if (path == "/health/detailed") return DetailedHealth(*shared_, *snapshot_);
  return {
      404, "text/plain; charset=utf-8",
      "here are / (the dashboard), /metrics, /health, /ready, /health/db and /health/detailed\n"};
}

// The line is PgBouncer's, for what reads its log.
void Supervisor::EndPeriod() {
  const config::Log& log = snapshot_->config().log;
  const TimePoint now = Clock::now();
  if (now - period_began_ < log.stats_period) return;
  period_began_ = now;
  statistics_->EndPeriod(now);
  if (!log.stats) return;
  const Statistics::Row all = statistics_->Read().back();
  const auto of = [&all](Stat stat) { return all.averages[static_cast<size_t>(stat)]; };
  LogInfo(
      "stats: {} xacts/s, {} queries/s, in {} B/s, out {} B/s, xact {} us, query {} us, wait {} us",
      of(Stat::kXacts), of(Stat::kQueries), of(Stat::kReceived), of(Stat::kSent),
      of(Stat::kXactTime), of(Stat::kQueryTime), of(Stat::kWaitTime));
}

void Supervisor::Tick() {
  if (++ticks_ % kTicksPerMaintenance == 0) {
    pools_->Maintain();
    shared_->secrets.Maintain();
  }
  EndPeriod();
  if (http_ != nullptr) dashboard_.Follow(*shared_, Clock::now());
  // Consoles that look on are not waited for.
  const int clients = shared_->clients.load();
  if (stopping_ && ending_ != Ending::kNow && clients > 0 && clients == shared_->consoles.load()) {
    BeginEnding(Ending::kNow);
  }
  const bool nobody = clients == 0 && !listener_->leaving();
  if (stopping_ && (nobody || Clock::now() >= give_up_at_)) {
    io_.stop();
    return;
  }
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](boost::system::error_code error) {
    if (!error) Tick();
  });
}

}  // namespace pgweir::proxy
