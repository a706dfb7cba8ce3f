// SHOW POOLS, DATABASES, USERS, LISTS and the small tables.

#include <chrono>
#include <map>
#include <set>

#include "pooler/conninfo.h"
#include "proxy/console/tables.h"
#include "proxy/overview.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

using pooler::Quota;

constexpr std::string_view kDefaultPort = "5432";
constexpr int kConsolePoolSize = 2;  // as PgBouncer says of its own

std::string_view ModeName(config::PoolMode mode) {
  switch (mode) {
    case config::PoolMode::kSession:
      return "session";
    case config::PoolMode::kTransaction:
      return "transaction";
    case config::PoolMode::kStatement:
      break;
  }
  return "statement";
}

int NumberOf(const auto& numbers, const std::string& name) {
  const auto it = numbers.find(name);
  return it == numbers.end() ? 0 : it->second;
}

int64_t Seconds(config::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

// Several hosts are tried in the order of the connection string.
std::string_view HostsPolicy(const pooler::Destination& destination) {
  return destination.host.find(',') == std::string::npos ? "" : "disable";
}

// A pool of (database, user), with the replication connections of the same.
struct PoolSum {
  pooler::Pool::Counts counts;
  config::PoolMode mode = config::PoolMode::kTransaction;
  std::string hosts_policy;
};

std::map<std::pair<std::string, std::string>, PoolSum> SumPools(const View& view) {
  std::map<std::pair<std::string, std::string>, PoolSum> sums;
  for (const auto& listed : view.shared().pools.List()) {
    PoolSum& sum = sums[{listed.database, listed.user}];
    sum.counts.Add(listed.pool->counts());
    if (!listed.dedicated) sum.mode = listed.pool->limits().mode;
    sum.hosts_policy = HostsPolicy(pooler::DestinationOf(listed.pool->target().connection_string));
  }
  PoolSum& console = sums[{std::string(config::kConsoleAlias), std::string(config::kConsoleAlias)}];
  console.counts.members = view.shared().consoles.load();
  console.mode = config::PoolMode::kStatement;
  return sums;
}

// Names of databases that have an entry of their own, or are in use by way of "*".
std::set<std::string> DatabaseNames(const View& view) {
  std::set<std::string> names = {std::string(config::kConsoleAlias)};
  for (const auto& [name, database] : view.config().databases) {
    if (name != "*") names.insert(name);
  }
  for (const auto& listed : view.shared().pools.List()) names.insert(listed.database);
  return names;
}

std::set<std::string> UserNames(const View& view) {
  std::set<std::string> names = {std::string(config::kConsoleAlias)};
  for (const std::string& name : view.host.snapshot()->users().Names()) names.insert(name);
  for (const auto& [name, pool] : view.config().users) names.insert(name);
  for (const auto& [name, count] : view.shared().pools.client_caps().by_user()) names.insert(name);
  for (const auto& listed : view.shared().pools.List()) names.insert(listed.user);
  return names;
}

Row ConsoleDatabaseRow(const View& view) {
  Row row;
  row.Text(config::kConsoleAlias).Null().Number(int{view.config().listen.port});
  row.Text(config::kConsoleAlias).Text(config::kConsoleAlias);
  row.Number(kConsolePoolSize).Number(0).Number(0);
  row.Number(Seconds(view.config().pool.recycle)).Text("statement").Null();
  row.Number(0).Number(0).Number(0).Number(view.shared().consoles.load());
  row.Number(0).Number(0).Number(0);
  return row;
}

int CountServers(const View& view) {
  int servers = 0;
  for (const auto& listed : view.shared().pools.List()) servers += listed.pool->counts().open();
  return servers;
}

}  // namespace

net::Task<Rows> FillPools(const View& view) {
  Rows rows;
  for (const auto& [key, sum] : SumPools(view)) {
    const pooler::Pool::Counts& counts = sum.counts;
    const Duration waited = LongestWait(counts, Clock::now());
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(waited).count();
    // A client that waits during its login counts as waiting only.
    rows.emplace_back()
        .Text(key.first)
        .Text(key.second)
        .Number(std::max(0, counts.members - counts.waiting))
        .Number(counts.waiting)
        .Number(counts.cancels)
        .Number(0)
        .Number(counts.leased)
        .Number(counts.cancels)
        .Number(counts.being_cancelled)
        .Number(counts.idle - counts.long_idle)
        .Number(counts.long_idle)
        .Number(0)
        .Number(counts.connecting)
        .Number(static_cast<int64_t>(us / 1'000'000))
        .Number(static_cast<int64_t>(us % 1'000'000))
        .Text(ModeName(sum.mode))
        .TextOrNull(sum.hosts_policy);
  }
  co_return rows;
}

net::Task<Rows> FillDatabases(const View& view) {
  const config::Config& config = view.config();
  const pooler::Pools& pools = view.shared().pools;
  const auto backends = pools.backends_of(Quota::Kind::kDatabase);
  const auto clients = pools.client_caps().by_database();
  Rows rows;
  for (const std::string& name : DatabaseNames(view)) {
    if (name == config::kConsoleAlias) {
      rows.push_back(ConsoleDatabaseRow(view));
      continue;
    }
    const config::Database* database = config.FindDatabase(name);
    if (database == nullptr) continue;  // a reload has just taken it away
    const config::Pool& pool = database->pool;
    const pooler::Destination to = pooler::DestinationOf(database->node.primary);
    rows.emplace_back()
        .Text(name)
        .TextOrNull(to.host)
        .Text(to.port.empty() ? kDefaultPort : to.port)
        .Text(to.database.empty() || database->name == "*" ? name : to.database)
        .TextOrNull(to.user)
        .Number(pool.size)
        .Number(pool.min_size)
        .Number(pool.overflow)
        .Number(Seconds(pool.recycle))
        .TextOrNull(database->own.mode.has_value() ? ModeName(*database->own.mode) : "")
        .TextOrNull(HostsPolicy(to))
        .Number(pool.max_db_connections)
        .Number(NumberOf(backends, name))
        .Number(pool.max_db_client_connections)
        .Number(NumberOf(clients, name))
        .Number(pools.paused(name) ? 1 : 0)
        .Number(pools.disabled(name) ? 1 : 0)
        .Number(pool.overflow);
  }
  co_return rows;
}

net::Task<Rows> FillUsers(const View& view) {
  const config::Config& config = view.config();
  const auto backends = view.shared().pools.backends_of(Quota::Kind::kUser);
  const auto clients = view.shared().pools.client_caps().by_user();
  const auto text = [](const std::optional<int>& number) {
    return number.has_value() ? std::to_string(*number) : std::string();
  };
  Rows rows;
  for (const std::string& name : UserNames(view)) {
    const auto it = config.users.find(name);
    const config::PoolOverride own = it == config.users.end() ? config::PoolOverride() : it->second;
    const config::Pool pool = config.UserPool(name);
    rows.emplace_back()
        .Text(name)
        .Text(text(own.size))
        .Text(text(own.overflow))
        .TextOrNull(own.mode.has_value() ? ModeName(*own.mode) : "")
        .Number(pool.max_user_connections)
        .Number(NumberOf(backends, name))
        .Number(pool.max_user_client_connections)
        .Number(NumberOf(clients, name));
  }
  co_return rows;
}

net::Task<Rows> FillLists(const View& view) {
  int logged_in = view.shared().consoles.load();
  for (const auto& [name, count] : view.shared().pools.client_caps().by_database()) {
    logged_in += count;
  }
  const int clients = view.shared().clients.load();
  const std::pair<std::string_view, int> lists[] = {
      {"databases", static_cast<int>(DatabaseNames(view).size())},
      {"users", static_cast<int>(UserNames(view).size())},
      {"peers", static_cast<int>(view.config().peers.size())},
      {"pools", static_cast<int>(SumPools(view).size())},
      {"peer_pools", static_cast<int>(view.config().peers.size())},
      {"free_clients", 0},
      {"used_clients", clients},
      {"login_clients", std::max(0, clients - logged_in)},
      {"free_servers", 0},
      {"used_servers", CountServers(view)},
      {"dns_names", 0},  // libpq asks the resolver
      {"dns_zones", 0},
      {"dns_queries", 0},
      {"dns_pending", 0},
  };
  Rows rows;
  for (const auto& [name, count] : lists) rows.emplace_back().Text(name).Number(count);
  co_return rows;
}

// The objects that there is one of for each client, server and pool; what they hold on the heap
// comes on top.
net::Task<Rows> FillMem(const View& view) {
  struct Kind {
    std::string_view name;
    size_t size;
    int used;
  };
  const Kind kinds[] = {
      {"client_cache", sizeof(Session), view.shared().clients.load()},
      {"server_cache", sizeof(pooler::Backend), CountServers(view)},
      {"pool_cache", sizeof(pooler::Pool), static_cast<int>(view.shared().pools.List().size())},
  };
  Rows rows;
  for (const Kind& kind : kinds) {
    const auto size = static_cast<int64_t>(kind.size);
    rows.emplace_back().Text(kind.name).Number(size).Number(kind.used).Number(0).Number(size *
                                                                                        kind.used);
  }
  co_return rows;
}

net::Task<Rows> FillState(const View& view) {
  const bool suspended = view.shared().suspended_by.load() != 0;
  const bool paused = !suspended && view.shared().pools.paused("");
  const auto yes_or_no = [](bool is) { return is ? "yes" : "no"; };
  Rows rows;
  rows.emplace_back().Text("active").Text(yes_or_no(!paused && !suspended));
  rows.emplace_back().Text("paused").Text(yes_or_no(paused));
  rows.emplace_back().Text("suspended").Text(yes_or_no(suspended));
  co_return rows;
}

net::Task<Rows> FillVersion(const View&) {
  Rows rows;
  rows.emplace_back().Text(
      fmt::format("PgBouncer {} (pgweir {})", kPgBouncerVersion, PGWEIR_VERSION));
  co_return rows;
}

net::Task<Rows> FillSessionState(const View& view) {
  const SessionCounts& counts = view.shared().session_counts;
  const std::pair<std::string_view, const ReasonCounts&> kinds[] = {{"pin", counts.pins},
                                                                    {"refusal", counts.refusals},
                                                                    {"reset", counts.resets},
                                                                    {"doubt", counts.doubts}};
  Rows rows;
  for (const auto& [kind, reasons] : kinds) {
    for (const auto& [reason, count] : reasons.Read()) {
      rows.emplace_back().Text(kind).Text(reason).Number(count);
    }
  }
  co_return rows;
}

net::Task<Rows> FillPeers(const View& view) {
  const config::Config& config = view.config();
  Rows rows;
  for (const auto& [id, peer] : config.peers) {
    rows.emplace_back().Number(id).Text(peer.host).Number(peer.port).Number(
        config.CancelsAtOnce(peer));
  }
  co_return rows;
}

net::Task<Rows> FillPeerPools(const View& view) {
  Rows rows;
  for (const auto& [id, peer] : view.config().peers) {
    const auto [active, waiting] = view.shared().peer_cancels.numbers(id);
    rows.emplace_back().Number(id).Number(active).Number(waiting).Number(active).Number(0);
  }
  co_return rows;
}

net::Task<Rows> FillNothing(const View&) { co_return Rows(); }

}  // namespace pgweir::proxy
