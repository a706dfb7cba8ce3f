#include "pooler/node_monitor.h"

#include <algorithm>

#include "base/log.h"
#include "pooler/conninfo.h"
#include "pooler/login.h"
#include "pooler/server_question.h"

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{1'000};  // with a server that is asked
// However often it is suspected.
constexpr milliseconds kLeastPause{100};
// Before a look whether a server is to be asked that is not now.
constexpr milliseconds kUnaskedPause{1'000};
// Before one is asked again that does not let itself be asked by this login.
constexpr milliseconds kRefusedPause{10'000};

std::string NameOf(const ServerView& server) {
  return fmt::format("{}:{}", server.host, server.port);
}

// libpq's messages go on with advice.
std::string FirstLine(const Status& status) {
  const std::string message = MessageOf(status);
  return message.substr(0, message.find('\n'));
}

void Log(const NodeView& view, const NodeHealth::Event& event) {
  const ServerView& server = view.servers[event.server];
  using Kind = NodeHealth::Event::Kind;
  switch (event.kind) {
    case Kind::kOut:
      LogWarn("server is out node={} server={} state={} reason=\"{}\"", view.node, NameOf(server),
              NameOf(server.condition), server.error);
      break;
    case Kind::kBack:
      LogInfo("server is back node={} server={}", view.node, NameOf(server));
      break;
    case Kind::kNewPrimary:
      LogWarn("new primary node={} server={} timeline={}", view.node, NameOf(server),
              server.timeline);
      break;
    case Kind::kNoPrimary:
      LogWarn("no primary node={}: {} is one no more, and clients that need one wait", view.node,
              NameOf(server));
      break;
    case Kind::kSplitBrain:
      LogError("SPLIT BRAIN node={} server={} is not used: {}", view.node, NameOf(server),
               server.error);
      break;
  }
}

}  // namespace

struct NodeMonitor::Server {
  Key key;
  NodeServer is;
  std::shared_ptr<ServerWatch> watch;
  // On the worker's thread.
  net::Event* wake = nullptr;
  std::optional<ServerConnection> connection = {};
  Target asked_as = {};  // the login of the connection
  bool asked = false;    // at the last occasion
  Duration pause{};      // before the next
  bool retired = false;
};

struct NodeMonitor::Node {
  NodeSettings settings;
  std::vector<ServerRef> servers;
  NodeHealth health;
  std::shared_ptr<NodeStatus> status = std::make_shared<NodeStatus>();
  std::weak_ptr<Pool> lender = {};
  uint64_t version = 0, epoch = 0;
};

NodeMonitor::NodeMonitor(Hooks hooks) : hooks_(std::move(hooks)) { worker_.Start("nodes"); }

NodeMonitor::~NodeMonitor() { Stop(); }

void NodeMonitor::Stop() {
  worker_.Post([this] { waits_.Stop(); });
  worker_.Stop();
  worker_.Join();
}

// --- what is watched ---

NodeMonitor::ServerRef NodeMonitor::MakeServer(const Key& key, const NodeServer& is, bool alone) {
  auto server = std::make_shared<Server>();
  server->key = key;
  server->is = is;
  server->watch = std::make_shared<ServerWatch>(
      !alone, [this, weak = std::weak_ptr(server)](ServerWatch::News news, const Status& status) {
        worker_.Post([this, weak, news, status] {
          if (const ServerRef self = weak.lock(); self != nullptr) OnNews(self, news, status);
        });
      });
  if (!alone) {
    worker_.Post([this, server] { net::Spawn(Watch(server)); });
  }
  return server;
}

void NodeMonitor::Configure(const std::vector<NodeSettings>& nodes) {
  std::vector<NodeViewRef> views;
  std::vector<ServerRef> retired;
  {
    const MutexLock lock(mutex_);
    std::map<Key, std::unique_ptr<Node>> old = std::exchange(nodes_, {});
    for (const NodeSettings& settings : nodes) {
      const auto servers = ServersOf(settings);
      if (!servers.ok()) {
        LogError("node {} is not watched: {}", settings.node, MessageOf(servers.status()));
        continue;
      }
      const Key key(settings.database, settings.node);
      if (const auto it = old.find(key); it != old.end()) nodes_[key] = std::move(it->second);
      std::vector<ServerRef> before;
      if (nodes_[key] != nullptr) before = nodes_[key]->servers;
      views.push_back(Renew(key, settings, *servers));
      for (ServerRef& server : before) {
        const auto& now = nodes_[key]->servers;
        if (std::ranges::find(now, server) == now.end()) retired.push_back(std::move(server));
      }
    }
    for (auto& [key, node] : old) {
      if (node != nullptr) std::ranges::move(node->servers, std::back_inserter(retired));
    }
  }
  worker_.Post([retired = std::move(retired)] {
    for (const ServerRef& server : retired) {
      server->retired = true;
      if (server->wake != nullptr) server->wake->Set();
    }
  });
  for (const NodeViewRef& view : views) hooks_.on_change(view);
}

NodeViewRef NodeMonitor::Renew(const Key& key, const NodeSettings& settings,
                               const std::vector<NodeServer>& servers) {
  std::unique_ptr<Node>& node = nodes_[key];
  const bool alone = servers.size() == 1;
  std::vector<ServerRef> now;
  std::vector<int> places;
  std::vector<bool> listed;
  for (const NodeServer& is : servers) {
    listed.push_back(is.listed_as_primary);
    places.push_back(-1);
    ServerRef server;
    const size_t known = node == nullptr ? 0 : node->servers.size();
    for (size_t i = 0; i < known && (known == 1) == alone; ++i) {
      if (node->servers[i]->is.connection_string != is.connection_string) continue;
      server = node->servers[i];
      places.back() = static_cast<int>(i);
    }
    if (server == nullptr) server = MakeServer(key, is, alone);
    now.push_back(std::move(server));
  }
  NodeHealth health(listed, {.max_lag = settings.max_lag});
  if (node != nullptr) health.Inherit(node->health, places);
  if (node == nullptr) node.reset(new Node{.settings = {}, .servers = {}, .health = health});
  node->settings = settings;
  node->servers = std::move(now);
  for (size_t i = 0; i < servers.size(); ++i) node->servers[i]->is.labels = servers[i].labels;
  node->health = std::move(health);
  ++node->epoch;
  return ViewOf(*node);
}

NodeViewRef NodeMonitor::ViewOf(Node& node) {
  auto view = std::make_shared<NodeView>();
  view->database = node.settings.database;
  view->node = node.settings.node;
  view->configured_primary = node.settings.primary;
  view->version = ++node.version;
  view->epoch = node.epoch;
  view->primary = node.health.primary();
  view->headless = node.health.headless();
  for (size_t i = 0; i < node.servers.size(); ++i) {
    const NodeServer& is = node.servers[i]->is;
    const ServerHealth& health = node.health.servers()[i];
    const ServerAnswer answer = health.answer.value_or(ServerAnswer());
    view->servers.push_back({.host = is.host,
                             .port = is.port,
                             .connection_string = is.connection_string,
                             .labels = is.labels,
                             .role = health.role,
                             .condition = health.condition,
                             .error = health.error,
                             .system_id = answer.system_id,
                             .timeline = answer.timeline,
                             .lsn = answer.lsn,
                             .lag_bytes = health.lag_bytes,
                             .lag = health.lag,
                             .caught_up_at = health.caught_up_at,
                             .answers = health.answers,
                             .failures = health.failures,
                             .watch = node.servers[i]->watch});
  }
  node.status->Publish(view);
  return view;
}

NodeStatusRef NodeMonitor::Find(const std::string& database, const std::string& node) const {
  const MutexLock lock(mutex_);
  const auto it = nodes_.find({database, node});
  return it == nodes_.end() ? nullptr : it->second->status;
}

std::vector<NodeViewRef> NodeMonitor::Views() const {
  std::vector<NodeViewRef> views;
  const MutexLock lock(mutex_);
  for (const auto& [key, node] : nodes_) views.push_back(node->status->Get());
  return views;
}

void NodeMonitor::Lend(const std::string& database, const std::string& node,
                       const std::shared_ptr<Pool>& pool) {
  const MutexLock lock(mutex_);
  const auto it = nodes_.find({database, node});
  if (it == nodes_.end() || it->second->servers.size() == 1) return;
  if (!it->second->lender.expired()) return;
  it->second->lender = pool;
  it->second->servers.front()->watch->Suspect();
}

void NodeMonitor::Suspect(const std::string& database, const std::string& node, size_t server) {
  const MutexLock lock(mutex_);
  const auto it = nodes_.find({database, node});
  if (it == nodes_.end() || server >= it->second->servers.size()) return;
  it->second->servers[server]->watch->Suspect();
}

// --- what is heard ---

// A server that a reload has taken away changes nothing any more.
void NodeMonitor::Apply(const ServerRef& server,
                        absl::FunctionRef<void(NodeHealth&, size_t)> change) {
  NodeViewRef view;
  std::vector<NodeHealth::Event> events;
  bool moved = false;
  {
    const MutexLock lock(mutex_);
    const auto it = nodes_.find(server->key);
    if (it == nodes_.end()) return;
    Node& node = *it->second;
    const auto place = std::ranges::find(node.servers, server);
    if (place == node.servers.end()) return;
    const int primary = node.health.primary();
    const bool headless = node.health.headless();
    change(node.health, static_cast<size_t>(place - node.servers.begin()));
    moved = node.health.primary() != primary || node.health.headless() != headless;
    if (moved) ++node.epoch;
    events = node.health.TakeEvents();
    view = ViewOf(node);
  }
  for (const NodeHealth::Event& event : events) Log(*view, event);
  if (moved) hooks_.on_change(view);
}

// What is odd about one server may be explained by another.
void NodeMonitor::AskAll(const Key& key) {
  std::vector<ServerRef> servers;
  {
    const MutexLock lock(mutex_);
    const auto it = nodes_.find(key);
    if (it != nodes_.end()) servers = it->second->servers;
  }
  for (const ServerRef& server : servers) {
    if (server->wake != nullptr) server->wake->Set();
  }
}

void NodeMonitor::OnNews(const ServerRef& server, ServerWatch::News news, const Status& status) {
  if (server->asked || news == ServerWatch::News::kSuspect) AskAll(server->key);
  if (server->asked) return;
  server->watch->Heard();
  if (news == ServerWatch::News::kLoggedIn) {
    Apply(server, [](NodeHealth& health, size_t i) { health.OnLoggedIn(i); });
  } else if (news == ServerWatch::News::kLoginFailed && SaysServerIsDown(status)) {
    Apply(server, [&](NodeHealth& health, size_t i) {
      health.OnLoginFailed(i, FirstLine(status), Clock::now());
    });
  }
}

// --- asking ---

net::Task<void> NodeMonitor::Watch(ServerRef server) {
  net::Event wake(worker_);
  server->wake = &wake;
  while (!waits_.stopping() && !server->retired) {
    const TimePoint began = Clock::now();
    server->watch->Heard();
    co_await Round(server);
    wake.SetDeadline(began + server->pause);
    const bool woken = co_await waits_.Wait(wake);
    wake.SetDeadline(kNoDeadline);
    if (woken) co_await waits_.Sleep(began + kLeastPause);
  }
  server->wake = nullptr;
  server->connection.reset();
}

net::Task<void> NodeMonitor::Round(ServerRef server) {
  const StatusOr<Target> login = Login(*server);
  server->asked = login.ok();
  server->pause = login.ok() ? IntervalOf(*server) : kUnaskedPause;
  if (!login.ok()) {
    server->connection.reset();
    // While it is paused, nothing is heard and nothing changes.
    if (absl::IsCancelled(login.status())) co_return;
    Apply(server, [](NodeHealth& health, size_t i) { health.OnUnasked(i, "", Clock::now()); });
    co_return;
  }
  const TimePoint asked_at = Clock::now();
  auto answer = co_await Ask(*server, *login);
  if (waits_.stopping()) co_return;
  const TimePoint now = Clock::now();
  if (answer.ok()) {
    answer->asked_at = asked_at;
    Apply(server, [&](NodeHealth& health, size_t i) { health.OnAnswer(i, *answer, now); });
    co_return;
  }
  const Status& failure = answer.status();
  server->asked = SaysServerIsDown(failure);
  if (!server->asked) server->pause = kRefusedPause;
  Apply(server, [&](NodeHealth& health, size_t i) {
    if (server->asked) return health.OnFailure(i, FirstLine(failure), now);
    health.OnUnasked(i, FirstLine(failure), now);
  });
}

net::Task<StatusOr<ServerAnswer>> NodeMonitor::Ask(Server& server, const Target& target) {
  WorkerReadiness readiness(waits_, Clock::now() + kPatience);
  if (server.connection.has_value() && server.asked_as == target) {
    const auto rows = co_await RunQuery(*server.connection, kServerQuestion, readiness);
    if (rows.ok()) co_return ReadServerAnswer(*rows);
    server.connection.reset();
    // That the connection has ended says little: the server is asked over another.
    if (readiness.over()) co_return rows.status();
  }
  server.connection.reset();
  auto connection = co_await LogIn(target, readiness);
  if (!connection.ok()) co_return connection.status();
  const auto rows = co_await RunQuery(*connection, kServerQuestion, readiness);
  if (!rows.ok()) co_return rows.status();
  server.connection = *std::move(connection);
  server.asked_as = target;
  co_return ReadServerAnswer(*rows);
}

Duration NodeMonitor::IntervalOf(const Server& server) {
  const MutexLock lock(mutex_);
  const auto it = nodes_.find(server.key);
  return it == nodes_.end() ? Duration(kUnaskedPause) : it->second->settings.check_interval;
}

// As whom the server is asked; absl::Cancelled when it must not be just now, another error when
// there is no login.
StatusOr<Target> NodeMonitor::Login(const Server& server) {
  if (hooks_.is_paused(server.key.first)) return absl::CancelledError("paused");
  std::shared_ptr<Pool> lender;
  {
    const MutexLock lock(mutex_);
    const auto it = nodes_.find(server.key);
    if (it == nodes_.end()) return absl::CancelledError("gone");
    if (it->second->settings.check_interval == Duration::zero()) {
      return absl::NotFoundError("not to be asked");
    }
    lender = it->second->lender.lock();
  }
  const auto options = ParseConninfo(server.is.connection_string);
  if (!options.ok()) return options.status();
  const bool names_user = options->contains("user");
  if (!names_user && lender == nullptr) return absl::NotFoundError("no login");
  // A client's is the string's own where that names a user, with what pgweir knows of its secret.
  Target target;
  if (lender != nullptr) target = lender->target();
  target.connection_string = server.is.connection_string;
  target.node = server.key.second;
  target.watch = nullptr;
  if (lender == nullptr && !options->contains("dbname")) target.database = "postgres";
  target.keywords = {{"application_name", "pgweir health"}};
  return target;
}

}  // namespace pgweir::pooler
