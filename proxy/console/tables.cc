#include "proxy/console/tables.h"

#include <algorithm>
#include <array>
#include <string>

namespace pgweir::proxy {
namespace {

#define PGWEIR_SOCKET_COLUMNS                                                                \
  "s type, s user, s database, s replication, s state, s addr, i port, s local_addr, "       \
  "i local_port, s connect_time, s request_time, i wait, i wait_us, i close_needed, s ptr, " \
  "s link, i remote_pid, s tls, s application_name, i prepared_statements, i id"
#define PGWEIR_BUFFER_COLUMNS                                                       \
  ", i recv_pos, i pkt_pos, i pkt_remain, i send_pos, i send_remain, i pkt_avail, " \
  "i send_avail"

constexpr std::array kTables = {
    TableKind{"active_sockets", PGWEIR_SOCKET_COLUMNS PGWEIR_BUFFER_COLUMNS, "", false,
              FillActiveSockets},
    TableKind{"cache",
              "q entries, q bytes, q hits, q misses, N hit_rate, q stores, q evictions, "
              "q invalidations, q coalesced, q stale_served, q redis_hits, q redis_errors, "
              "q shadow_hits, q too_large, q verified, q differences",
              "", false, FillCache},
    TableKind{"cache_digests", "s digest, q hits, q misses, q shadow_hits, s bypasses", "", false,
              FillCacheDigests},
    TableKind{"cache_rules",
              "s rule, s scope, s mode, s ttl, q hits, q misses, q shadow_hits, s bypasses", "",
              false, FillCacheRules},
    TableKind{"cache_tables", "s table, q hits, q misses, q shadow_hits, s bypasses", "", false,
              FillCacheTables},
    TableKind{"clients", PGWEIR_SOCKET_COLUMNS, "", false, FillClients},
    TableKind{"config", "s key, s value, s default, s changeable", "", false, FillConfig},
    TableKind{"databases",
              "s name, s host, i port, s database, s force_user, i pool_size, i min_pool_size, "
              "i reserve_pool_size, i server_lifetime, s pool_mode, s load_balance_hosts, "
              "i max_connections, i current_connections, i max_client_connections, "
              "i current_client_connections, i paused, i disabled",
              "i reserve_pool", false, FillDatabases},
    TableKind{"digests",
              "s digest, s database, s query, q calls, q errors, q rows, N total_ms, N mean_ms, "
              "N p50_ms, N p95_ms, N p99_ms, N wait_ms, q cache_hits, s shards, s first_seen, "
              "s last_seen, s user, N route_ms, N connect_ms, N sync_ms, N ahead_ms, "
              "N backend_ms, N transfer_ms, N blocked_ms, q bytes, q retries",
              "", false, FillDigests},
    TableKind{"dns_hosts", "s hostname, q ttl, s addrs", "", false, FillNothing},
    TableKind{"dns_zones", "s zonename, q serial, i count", "", false, FillNothing},
    TableKind{"fds",
              "i fd, s task, s user, s database, s addr, i port, q cancel, i link, "
              "s client_encoding, s std_strings, s datestyle, s timezone, s password, "
              "s scram_client_key, s scram_server_key",
              "", true, FillFds},
    TableKind{"lists", "s list, i items", "", false, FillLists},
    TableKind{"mem", "s name, i size, i used, i free, i memtotal", "", false, FillMem},
    TableKind{"nodes",
              "s node, s role, s host, i port, s state, q lag_bytes, q lag_ms, i connections, "
              "s error",
              "", false, FillNodes},
    TableKind{"peer_pools",
              "i peer_id, i cl_active_cancel_req, i cl_waiting_cancel_req, i sv_active_cancel, "
              "i sv_login",
              "", false, FillPeerPools},
    TableKind{"peers", "i peer_id, s host, i port, i pool_size", "", false, FillPeers},
    TableKind{"pools",
              "s database, s user, i cl_active, i cl_waiting, i cl_active_cancel_req, "
              "i cl_waiting_cancel_req, i sv_active, i sv_active_cancel, i sv_being_canceled, "
              "i sv_idle, i sv_used, i sv_tested, i sv_login, i maxwait, i maxwait_us, "
              "s pool_mode, s load_balance_hosts",
              "", false, FillPools},
    TableKind{"servers", PGWEIR_SOCKET_COLUMNS, "", false, FillServers},
    TableKind{"session_state", "s kind, s reason, q count", "", false, FillSessionState},
    TableKind{"shards", "s pattern, s node, q statements, q rows, N p95_ms, s database", "", false,
              FillShards},
    TableKind{"slow",
              "s finished, s database, s user, s digest, N total_ms, N wait_ms, N backend_ms, "
              "N transfer_ms, N blocked_ms, N other_ms, q rows, q bytes, s shards, s cache, "
              "s sqlstate, s query",
              "", true, FillSlow},
    TableKind{"sockets", PGWEIR_SOCKET_COLUMNS PGWEIR_BUFFER_COLUMNS, "", false, FillSockets},
    TableKind{"state", "s key, s value", "", false, FillState},
    TableKind{"stats",
              "s database, N total_server_assignment_count, N total_xact_count, "
              "N total_query_count, N total_received, N total_sent, N total_xact_time, "
              "N total_query_time, N total_wait_time, N total_client_parse_count, "
              "N total_server_parse_count, N total_bind_count, N total_client_login_count, "
              "N avg_server_assignment_count, N avg_xact_count, N avg_query_count, N avg_recv, "
              "N avg_sent, N avg_xact_time, N avg_query_time, N avg_wait_time, "
              "N avg_client_parse_count, N avg_server_parse_count, N avg_bind_count, "
              "N avg_client_login_count",
              "N total_requests", false, FillStats},
    TableKind{"stats_averages",
              "s database, N server_assignment_count, N xact_count, N query_count, "
              "N bytes_received, N bytes_sent, N xact_time, N query_time, N wait_time, "
              "N avg_client_parse_count, N avg_server_parse_count, N avg_bind_count, "
              "N avg_client_login_count",
              "", false, FillStatsAverages},
    TableKind{"stats_totals",
              "s database, N server_assignment_count, N xact_count, N query_count, "
              "N bytes_received, N bytes_sent, N xact_time, N query_time, N wait_time, "
              "N client_parse_count, N server_parse_count, N bind_count, N client_login_count",
              "", false, FillStatsTotals},
    TableKind{"symbols", "s node, s symbol, q calls, q rows, N total_ms", "", false, FillSymbols},
    TableKind{"totals", "s name, N value", "", false, FillTotals},
    TableKind{"users",
              "s name, s pool_size, s reserve_pool_size, s pool_mode, i max_user_connections, "
              "i current_connections, i max_user_client_connections, i current_client_connections",
              "", false, FillUsers},
    TableKind{"version", "s version", "", false, FillVersion},
};

}  // namespace

std::span<const TableKind> AllTables() { return kTables; }

const TableKind* FindTable(std::string_view name) {
  const auto it = std::find_if(kTables.begin(), kTables.end(),
                               [&](const TableKind& table) { return table.name == name; });
  return it == kTables.end() ? nullptr : &*it;
}

Columns ColumnsOf(const TableKind& table, const config::Config& config) {
  Columns columns = ColumnsFrom(table.columns);
  if (!config.admin.old_columns) return columns;
  for (const wire::Column& column : ColumnsFrom(table.old_columns)) columns.push_back(column);
  return columns;
}

}  // namespace pgweir::proxy
