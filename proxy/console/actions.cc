// The console's commands.

#include <charconv>

#include "absl/strings/match.h"
#include "base/log.h"
#include "base/strings.h"
#include "proxy/console/ask_workers.h"
#include "proxy/console/console.h"
#include "proxy/console/settings.h"
#include "proxy/console/tables.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

using Kind = Command::Kind;
using std::chrono::milliseconds;

// How often a command that waits looks whether it is done.
constexpr milliseconds kLook{10};
// Who has not taken its answers by then is dropped (PgBouncer's suspend_timeout).
constexpr std::chrono::seconds kSuspendTimeout{10};

constexpr std::string_view kHelp = R"(
	SHOW HELP|CONFIG|DATABASES|POOLS|CLIENTS|SERVERS|USERS|VERSION
	SHOW PEERS|PEER_POOLS|SESSION_STATE|NODES|SHARDS
	SHOW FDS|SOCKETS|ACTIVE_SOCKETS|LISTS|MEM|STATE
	SHOW CACHE [RULES|TABLES|DIGESTS]
	SHOW DIGESTS|SLOW|SYMBOLS
	SHOW DNS_HOSTS|DNS_ZONES
	SHOW STATS|STATS_TOTALS|STATS_AVERAGES|TOTALS
	SET key = value
	SET SHARD [DATABASE database] 'pattern' TO node
	DROP SHARD [DATABASE database] 'pattern'
	EXPLAIN ROUTE|CACHE [DATABASE database] 'SQL'
	CACHE WARM FILE 'path' [DATABASE database] [USER user]
	CACHE FLUSH [DATABASE database|TABLE table|RULE rule|DIGEST digest]
	RESET DIGESTS|SLOW|SYMBOLS
	RELOAD
	PAUSE [database]
	RESUME [database]
	DISABLE database
	ENABLE database
	RECONNECT [database]
	KILL [database]
	KILL_CLIENT id
	SUSPEND
	SHUTDOWN [WAIT_FOR_SERVERS|WAIT_FOR_CLIENTS]
	WAIT_CLOSE [database])";

Status Refused(std::string_view message) { return Error(sqlstate::kProtocolViolation, message); }

// The tag of a command that acts.
std::string_view TagOf(Kind kind) {
  switch (kind) {
    case Kind::kPause:
      return "PAUSE";
    case Kind::kResume:
      return "RESUME";
    case Kind::kDisable:
      return "DISABLE";
    case Kind::kEnable:
      return "ENABLE";
    case Kind::kKill:
      return "KILL";
    case Kind::kKillClient:
      return "KILL_CLIENT";
    case Kind::kReconnect:
      return "RECONNECT";
    case Kind::kReload:
      return "RELOAD";
    case Kind::kWaitClose:
      return "WAIT_CLOSE";
    case Kind::kSuspend:
      return "SUSPEND";
    case Kind::kShutdown:
      return "SHUTDOWN";
    case Kind::kSetShard:
      return "SET SHARD";
    case Kind::kDropShard:
      return "DROP SHARD";
    case Kind::kCacheFlush:
      return "CACHE FLUSH";
    case Kind::kForget:
      return "RESET";
    default:
      return "SET";
  }
}

int CountBusy(SessionHost& host) {
  int busy = 0;
  host.ForEach([&](Session& session) { busy += session.busy() ? 1 : 0; });
  return busy;
}

int Sum(const std::vector<int>& numbers) {
  int sum = 0;
  for (const int number : numbers) sum += number;
  return sum;
}

}  // namespace

net::Task<StatusOr<Result>> Console::Run(std::string statement) {
  auto understood = Understand(statement);
  if (!understood.ok()) co_return understood.status();
  Command command = *std::move(understood);
  Result result;
  switch (command.kind) {
    case Kind::kEmpty:
      co_return result;
    case Kind::kShow:
      co_return co_await Show(command.name);
    case Kind::kShowSetting:
    case Kind::kSelectOne:
      result.columns = OwnColumns(command);
      result.rows.emplace_back().Text(command.kind == Kind::kSelectOne ? "1" : command.value);
      result.tag = command.kind == Kind::kSelectOne ? "SELECT 1" : "SHOW";
      co_return result;
    case Kind::kIgnored:
      result.tag = command.name;
      if (command.name == "SET") result.notice = "SET ignored";
      co_return result;
    case Kind::kExplainRoute:
      co_return ExplainRoute(command);
    case Kind::kExplainCache:
      co_return ExplainCache(command);
    case Kind::kBegin:
    case Kind::kEnd:
      in_transaction_ = command.kind == Kind::kBegin;
      result.tag = command.name;
      co_return result;
    default:
      break;
  }
  if (rights_ != Rights::kAdmin) co_return Refused("admin access needed");
  LogInfo("console: {} session={} client={}", statement, id_.value, client_.peer.address);
  result.tag = TagOf(command.kind);
  cancelled_ = false;
  if (command.kind == Kind::kCacheWarm) co_return co_await WarmCache(std::move(command));
  const Status done = co_await Act(std::move(command));
  if (!done.ok()) co_return done;
  co_return result;
}

net::Task<StatusOr<Result>> Console::Show(std::string name) {
  Result result;
  result.tag = "SHOW";
  if (name == "help") {
    result.notice = "Console usage";
    result.detail = kHelp;
    co_return result;
  }
  const TableKind* table = FindTable(name);
  if (table == nullptr) {
    co_return Errorf(sqlstate::kProtocolViolation, "invalid command 'SHOW {}', use SHOW HELP;",
                     name);
  }
  if (table->admins_only && rights_ != Rights::kAdmin) co_return Refused("admin access needed");
  const View view{host_, client_.event};
  result.columns = ColumnsOf(*table, view.config());
  result.rows = co_await table->fill(view);
  co_return result;
}

net::Task<Status> Console::Act(Command command) {
  pooler::Pools& pools = host_.shared().pools;
  const bool names_database = command.kind != Kind::kKillClient && command.kind != Kind::kSet &&
                              command.kind != Kind::kShutdown && command.kind != Kind::kSetShard &&
                              command.kind != Kind::kDropShard &&
                              command.kind != Kind::kCacheFlush && command.kind != Kind::kForget;
  const Status known = names_database ? CheckDatabase(command.name) : absl::OkStatus();
  if (!known.ok()) co_return known;
  switch (command.kind) {
    case Kind::kPause:
      co_return co_await Pause(command.name);
    case Kind::kResume:
      co_return Resume(command.name);
    case Kind::kDisable:
    case Kind::kEnable:
      pools.SetDisabled(command.name, command.kind == Kind::kDisable);
      co_return absl::OkStatus();
    case Kind::kReconnect:
      pools.Reconnect(command.name);
      co_return absl::OkStatus();
    case Kind::kKill:
      co_return co_await Kill(command.name);
    case Kind::kKillClient:
      co_return co_await KillClient(command.name);
    case Kind::kWaitClose:
      co_return co_await WaitClose(command.name);
    case Kind::kSuspend:
      co_return co_await Suspend();
    case Kind::kShutdown:
      co_return Shutdown(command.name);
    case Kind::kReload:
      co_return co_await Reload();
    case Kind::kSetShard:
    case Kind::kDropShard:
      co_return co_await EditShardMap(std::move(command));
    case Kind::kCacheFlush:
      co_return co_await FlushCache(std::move(command));
    case Kind::kForget:
      Forget(command.name);
      co_return absl::OkStatus();
    default:
      co_return co_await Set(command.name, command.value);
  }
}

void Console::Forget(std::string_view noted) {
  for (const auto& host : host_.shared().hosts) {
    Observer& observer = host->tools().observer;
    if (noted == "digests") observer.digests.Reset();
    if (noted == "slow") observer.slow.Reset();
    if (noted == "symbols") observer.symbols.Reset();
  }
}

// --- waiting ---

net::Task<Status> Console::Await(absl::FunctionRef<bool()> done) {
  Status given_up;
  if (!co_await SendOut()) given_up = absl::CancelledError("client gone");
  while (given_up.ok() && !done()) {
    if (cancelled_) {
      given_up = Error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    } else if (ends_ || client_.stream.socket().hung_up()) {
      given_up = absl::CancelledError("client gone");
    } else {
      client_.event.SetDeadline(Clock::now() + kLook);
      co_await client_.event.Wait();
    }
  }
  if (!ends_) client_.event.SetDeadline(kNoDeadline);
  co_return given_up;
}

net::Task<Status> Console::AwaitControl(absl::FunctionRef<void(Control&, Control::Done)> ask) {
  auto outcome = std::make_shared<std::optional<Status>>();
  ask(host_.shared().control, [outcome, home = &host_.worker()](Status status) {
    home->Post([outcome, status = std::move(status)] { *outcome = status; });
  });
  const auto answered = [&] { return outcome->has_value(); };
  const Status waited = co_await Await(answered);
  co_return waited.ok() ? **outcome : waited;
}

// --- checks ---

Status Console::CheckDatabase(const std::string& database) const {
  const config::Config& config = host_.snapshot()->config();
  if (config.IsConsole(database)) {
    return Errorf(sqlstate::kProtocolViolation, "not for the console itself: {}", database);
  }
  if (database.empty() || config.FindDatabase(database) != nullptr) return absl::OkStatus();
  return Errorf(sqlstate::kProtocolViolation, "no such database: {}", database);
}

Status Console::CheckNotPaused() const {
  const Shared& shared = host_.shared();
  if (shared.suspended_by.load() == 0 && !shared.pools.paused("")) return absl::OkStatus();
  return Refused("already suspended/paused");
}

// --- PAUSE and the like ---

// The servers' connections end as they become free; the answer comes when the last one has.
net::Task<Status> Console::Pause(std::string database) {
  const Status possible = CheckNotPaused();
  if (!possible.ok()) co_return possible;
  pooler::Pools& pools = host_.shared().pools;
  pools.SetPaused(database, true);
  const auto released = [&] {
    for (const auto& listed : pools.List(database)) {
      const pooler::Pool::Counts counts = listed.pool->counts();
      if (counts.open() + counts.connecting > 0) return false;
      if (host_.shared().catalogs.Uses(*listed.pool)) return false;
    }
    return true;
  };
  const Status waited = co_await Await(released);
  // Taken back by who asked for it. One who just went away wanted it.
  if (SqlStateOf(waited) == sqlstate::kQueryCanceled) pools.SetPaused(database, false);
  co_return waited;
}

Status Console::Resume(const std::string& database) {
  Shared& shared = host_.shared();
  if (shared.control.shutting_down()) return Refused("pgweir is shutting down");
  if (!database.empty()) {
    if (!shared.pools.paused_by_name(database)) {
      return Errorf(sqlstate::kProtocolViolation, "database {} is not paused{}", database,
                    shared.pools.paused("") ? " by name: RESUME without one ends PAUSE" : "");
    }
    shared.pools.SetPaused(database, false);
    return absl::OkStatus();
  }
  const bool suspended = shared.suspended_by.exchange(0) != 0;
  if (suspended) {
    for (const auto& host : shared.hosts) host->Suspend(false);
  }
  if (!suspended && !shared.pools.paused("")) return Refused("pgweir is not paused or suspended");
  shared.pools.SetPaused("", false);
  return absl::OkStatus();
}

// Clients and servers are dropped, and who comes anew waits for RESUME.
net::Task<Status> Console::Kill(std::string database) {
  const Status possible = CheckNotPaused();
  if (!possible.ok()) co_return possible;
  host_.shared().pools.SetPaused(database, true);
  const std::function<int(SessionHost&)> kill = [database](SessionHost& host) {
    int killed = 0;
    host.ForEach([&](Session& session) {
      if (session.is_console() || (!database.empty() && session.database() != database)) return;
      session.Kill(Error(sqlstate::kAdminShutdown, "terminating connection due to KILL"));
      ++killed;
    });
    return killed;
  };
  const std::vector<int> killed = co_await AskWorkers(host_, client_.event, kill);
  LogInfo("console: {} clients killed", Sum(killed));
  co_return absl::OkStatus();
}

net::Task<Status> Console::KillClient(std::string id) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) {
    co_return Refused("invalid client pointer supplied");
  }
  const std::function<int(SessionHost&)> kill = [number](SessionHost& host) {
    int killed = 0;
    host.ForEach([&](Session& session) {
      if (session.id().value != number) return;
      session.Kill(Error(sqlstate::kAdminShutdown, "terminating connection due to KILL_CLIENT"));
      ++killed;
    });
    return killed;
  };
  const std::vector<int> killed = co_await AskWorkers(host_, client_.event, kill);
  co_return Sum(killed) > 0 ? absl::OkStatus() : Refused("client not found");
}

// Until the connections that RECONNECT or a reload has made outdated are gone.
net::Task<Status> Console::WaitClose(std::string database) {
  const auto closed = [&] {
    for (const auto& listed : host_.shared().pools.List(database)) {
      if (listed.pool->counts().outdated > 0) return false;
    }
    return true;
  };
  co_return co_await Await(closed);
}

net::Task<Status> Console::Suspend() {
  Shared& shared = host_.shared();
  const Status possible = CheckNotPaused();
  if (!possible.ok()) co_return possible;
  if (shared.pools.any_paused()) co_return Refused("cannot suspend with paused databases");
  shared.suspended_by = id_.value;
  for (const auto& host : shared.hosts) host->Suspend(true);
  const TimePoint until = Clock::now() + kSuspendTimeout;
  const std::function<int(SessionHost&)> count = CountBusy;
  while (Clock::now() < until) {
    const std::vector<int> busy = co_await AskWorkers(host_, client_.event, count);
    if (Sum(busy) == 0) co_return absl::OkStatus();
    const TimePoint next = Clock::now() + kLook;
    const auto later = [&] { return Clock::now() >= next; };
    const Status waited = co_await Await(later);
    if (SqlStateOf(waited) == sqlstate::kQueryCanceled) {
      const Status resumed = Resume("");
      co_return resumed.ok() ? waited : resumed;
    }
    if (!waited.ok()) co_return waited;
  }
  const std::function<int(SessionHost&)> drop = [](SessionHost& host) {
    int dropped = 0;
    host.ForEach([&](Session& session) {
      if (!session.busy()) return;
      session.Kill(Error(sqlstate::kAdminShutdown,
                         "terminating connection: it took too long over its answers for SUSPEND"));
      ++dropped;
    });
    return dropped;
  };
  const std::vector<int> dropped = co_await AskWorkers(host_, client_.event, drop);
  LogWarn("SUSPEND dropped {} clients that took too long over their answers", Sum(dropped));
  co_return absl::OkStatus();
}

// --- the process ---

Status Console::Shutdown(const std::string& how) {
  const auto is = [&](std::string_view word) {
    return absl::EqualsIgnoreCase(ToAbsl(how), ToAbsl(word));
  };
  Ending ending = Ending::kNow;
  if (is("WAIT_FOR_SERVERS")) {
    ending = Ending::kWhenFree;
  } else if (is("WAIT_FOR_CLIENTS")) {
    ending = Ending::kNo;
  } else if (!how.empty()) {
    return Errorf(sqlstate::kProtocolViolation, "invalid command 'SHUTDOWN {}', use SHOW HELP;",
                  how);
  }
  host_.shared().control.RequestShutdown(ending);
  return absl::OkStatus();
}

net::Task<Status> Console::Reload() {
  const auto ask = [](Control& control, Control::Done done) {
    control.RequestReload(std::move(done));
  };
  const Status done = co_await AwaitControl(ask);
  if (done.ok() || SqlStateOf(done) != sqlstate::kConfigFileError) co_return done;
  co_return Errorf(sqlstate::kConfigFileError, "RELOAD failed, the old configuration stays: {}",
                   MessageOf(done));
}

net::Task<Status> Console::Set(std::string key, std::string value) {
  const auto ask = [&](Control& control, Control::Done done) {
    control.RequestChange(
        [key, value](config::Config& config) { return ChangeSetting(config, key, value); },
        std::move(done));
  };
  co_return co_await AwaitControl(ask);
}

}  // namespace pgweir::proxy
