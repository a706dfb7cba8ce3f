#pragma once

#include <span>
#include <string_view>

#include "net/task.h"
#include "proxy/console/table.h"
#include "proxy/host.h"

namespace pgweir::proxy {

// What the functions that fill a table may look at, on the console's own thread.
struct View {
  SessionHost& host;
  net::Event& event;  // the console's

  Shared& shared() const { return host.shared(); }
  const config::Config& config() const { return host.snapshot()->config(); }
};

// A table of SHOW. Names, types and orders are PgBouncer's: its tools read them.
struct TableKind {
  std::string_view name;
  std::string_view columns;      // as ColumnsFrom reads them
  std::string_view old_columns;  // those that PgBouncer once had, behind the others; mostly none
  bool admins_only;
  net::Task<Rows> (*fill)(const View& view);
};

std::span<const TableKind> AllTables();
// By its name in small letters; null when there is none.
const TableKind* FindTable(std::string_view name);
Columns ColumnsOf(const TableKind& table, const config::Config& config);

// Of what PgBouncer's tools know them as, for VERSION and server_version.
inline constexpr std::string_view kPgBouncerVersion = "1.25.0";

// --- by file ---
// tables_pools.cc
net::Task<Rows> FillPools(const View& view);
net::Task<Rows> FillDatabases(const View& view);
net::Task<Rows> FillUsers(const View& view);
net::Task<Rows> FillLists(const View& view);
net::Task<Rows> FillMem(const View& view);
net::Task<Rows> FillState(const View& view);
net::Task<Rows> FillVersion(const View& view);
net::Task<Rows> FillSessionState(const View& view);
net::Task<Rows> FillPeers(const View& view);
net::Task<Rows> FillPeerPools(const View& view);
net::Task<Rows> FillNothing(const View& view);
// tables_statistics.cc
net::Task<Rows> FillStats(const View& view);
net::Task<Rows> FillStatsTotals(const View& view);
net::Task<Rows> FillStatsAverages(const View& view);
net::Task<Rows> FillTotals(const View& view);
// tables_cache.cc
net::Task<Rows> FillCache(const View& view);
net::Task<Rows> FillCacheRules(const View& view);
net::Task<Rows> FillCacheTables(const View& view);
net::Task<Rows> FillCacheDigests(const View& view);
// tables_shards.cc
net::Task<Rows> FillShards(const View& view);
// tables_statements.cc
net::Task<Rows> FillDigests(const View& view);
net::Task<Rows> FillSlow(const View& view);
net::Task<Rows> FillSymbols(const View& view);
// tables_sockets.cc
net::Task<Rows> FillClients(const View& view);
net::Task<Rows> FillServers(const View& view);
net::Task<Rows> FillSockets(const View& view);
net::Task<Rows> FillActiveSockets(const View& view);
net::Task<Rows> FillFds(const View& view);
// tables_nodes.cc
net::Task<Rows> FillNodes(const View& view);
// settings.cc
net::Task<Rows> FillConfig(const View& view);

}  // namespace pgweir::proxy
