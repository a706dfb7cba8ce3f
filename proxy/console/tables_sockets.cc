// SHOW CLIENTS, SERVERS, SOCKETS: who is connected. Clients are told of by the workers that they
// live on, servers by their pools, and what only the holder of a server connection knows by the
// client that holds it.

#include <algorithm>
#include <map>
#include <tuple>

#include "proxy/console/ask_workers.h"
#include "proxy/console/tables.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

using Clients = std::vector<ClientInfo>;

struct Server {
  std::string user, database;
  bool replicates;
  pooler::Pool::Shown shown;
  const ClientInfo* holder;  // null = nobody
};

struct Connected {
  Clients clients;
  std::vector<Server> servers;
};

Clients DescribeAll(SessionHost& host) {
  Clients clients;
  host.ForEach([&](Session& session) { clients.push_back(session.Describe()); });
  return clients;
}

// "logical" when the client names a database: what it then says is SQL too.
std::string_view ReplicationKind(const std::string& startup) {
  if (startup.empty()) return "none";
  return startup == "database" ? "logical" : "physical";
}

std::string ClientPointer(uint64_t id) { return fmt::format("0xc{:011x}", id); }
std::string ServerPointer(uint64_t id) { return fmt::format("0x5{:011x}", id); }

int Port(const std::string& text) { return text.empty() ? 0 : std::atoi(text.c_str()); }

// PgBouncer's order: by pool, those that wait last, those in the middle of their login after all.
bool ClientsBefore(const ClientInfo& a, const ClientInfo& b) {
  const auto rank = [](const ClientInfo& info) {
    return std::make_tuple(!info.logged_in, std::string_view(info.database),
                           std::string_view(info.user), info.state == "waiting", info.id);
  };
  return rank(a) < rank(b);
}

// Within a pool in PgBouncer's order of states.
bool ServersBefore(const Server& a, const Server& b) {
  const auto rank = [](const Server& server) {
    const std::string_view state = server.shown.state;
    const int order = state == "active" ? 0 : state == "idle" ? 1 : state == "used" ? 2 : 3;
    return std::make_tuple(std::string_view(server.database), std::string_view(server.user), order,
                           server.shown.id.value);
  };
  return rank(a) < rank(b);
}

net::Task<Connected> Collect(const View& view) {
  Connected connected;
  const std::function<Clients(SessionHost&)> describe = DescribeAll;
  std::vector<Clients> by_worker = co_await AskWorkers(view.host, view.event, describe);
  for (Clients& some : by_worker) {
    std::move(some.begin(), some.end(), std::back_inserter(connected.clients));
  }
  std::sort(connected.clients.begin(), connected.clients.end(), ClientsBefore);
  std::map<uint64_t, const ClientInfo*> holders;
  for (const ClientInfo& client : connected.clients) {
    if (client.backend != 0) holders[client.backend] = &client;
  }
  for (const auto& listed : view.shared().pools.List()) {
    for (pooler::Pool::Shown& shown : listed.pool->Show()) {
      const auto holder = holders.find(shown.id.value);
      connected.servers.push_back({listed.user, listed.database, listed.dedicated, std::move(shown),
                                   holder == holders.end() ? nullptr : holder->second});
    }
  }
  std::sort(connected.servers.begin(), connected.servers.end(), ServersBefore);
  co_return connected;
}

Row ClientRow(const ClientInfo& client, std::string_view state) {
  const Duration waited =
      client.waiting_since == kNoDeadline ? Duration::zero() : Clock::now() - client.waiting_since;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(waited).count();
  Row row;
  row.Text("C")
      .Text(client.user.empty() ? "(nouser)" : client.user)
      .Text(client.database.empty() ? "(nodb)" : client.database)
      .Text(ReplicationKind(client.replication))
      .Text(state)
      .Text(client.address)
      .Number(Port(client.port))
      .Text(client.local_address.empty() ? "unix" : client.local_address)
      .Number(Port(client.local_port))
      .Text(TimeText(client.connected_at))
      .Text(TimeText(client.request_at))
      .Number(static_cast<int64_t>(us / 1'000'000))
      .Number(static_cast<int64_t>(us % 1'000'000))
      .Number(client.close_needed ? 1 : 0)
      .Text(ClientPointer(client.id))
      .Text(client.backend == 0 ? "" : ServerPointer(client.backend))
      .Number(client.process_id)
      .Text(client.tls)
      .Text(client.application_name)
      .Number(client.prepared)
      .Number(client.id);
  return row;
}

Row ServerRow(const Server& server, std::string_view state) {
  const pooler::BackendOrigin& origin = server.shown.origin;
  const ClientInfo* holder = server.holder;
  Row row;
  row.Text("S")
      .Text(server.user)
      .Text(server.database)
      .Text(holder == nullptr ? "none" : ReplicationKind(holder->replication))
      .Text(state)
      .Text(origin.address)
      .Number(Port(origin.port))
      .Text(origin.local_address.empty() ? "unix" : origin.local_address)
      .Number(Port(origin.local_port))
      .Text(TimeText(origin.opened_at))
      .Text(TimeText(holder == nullptr ? server.shown.idle_since : holder->request_at))
      .Number(0)
      .Number(0)
      .Number(server.shown.close_needed ? 1 : 0)
      .Text(ServerPointer(server.shown.id.value))
      .Text(holder == nullptr ? "" : ClientPointer(holder->id))
      .Number(origin.process_id)
      .Text(origin.tls)
      .Text(holder == nullptr ? server.shown.application_name : holder->backend_application_name)
      .Number(holder == nullptr ? server.shown.prepared : holder->backend_prepared)
      .Number(server.shown.id.value);
  return row;
}

// Where PgBouncer shows what lies in its buffers. pgweir's are shared by all connections of a
// worker and empty between two turns.
constexpr size_t kBufferColumns = 7;

// Which of them, by pool: clients before servers.
Rows SocketRows(const Connected& connected, bool active_only) {
  struct Entry {
    std::tuple<bool, std::string_view, std::string_view, bool, size_t> order;
    Row row;
  };
  std::vector<Entry> entries;
  for (const ClientInfo& client : connected.clients) {
    const bool active = client.backend != 0 || client.waiting_since != kNoDeadline;
    if (active_only && !active) continue;
    const std::string_view state = !client.logged_in                     ? "cl_login"
                                   : client.waiting_since != kNoDeadline ? "cl_waiting"
                                                                         : "cl_active";
    entries.push_back({{!client.logged_in, client.database, client.user, false, entries.size()},
                       ClientRow(client, state)});
  }
  for (const Server& server : connected.servers) {
    if (active_only && server.holder == nullptr) continue;
    entries.push_back({{false, server.database, server.user, true, entries.size()},
                       ServerRow(server, fmt::format("sv_{}", server.shown.state))});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.order < b.order; });
  Rows rows;
  for (Entry& entry : entries) rows.push_back(std::move(entry.row.Numbers(kBufferColumns, 0)));
  return rows;
}

Row FdRow(int fd, std::string_view task, const std::string& user, const std::string& database,
          const std::string& address, const std::string& port) {
  Row row;
  row.Number(fd).Text(task).Text(user).Text(database).Text(address).Number(Port(port));
  row.Number(0).Number(0).Text("UTF8").Text("on").Null().Null();
  row.Null().Null().Null();  // secrets stay here
  return row;
}

}  // namespace

net::Task<Rows> FillClients(const View& view) {
  const Connected connected = co_await Collect(view);
  Rows rows;
  for (const ClientInfo& client : connected.clients) {
    if (client.logged_in) rows.push_back(ClientRow(client, client.state));
  }
  co_return rows;
}

net::Task<Rows> FillServers(const View& view) {
  const Connected connected = co_await Collect(view);
  Rows rows;
  for (const Server& server : connected.servers) {
    rows.push_back(ServerRow(server, server.shown.state));
  }
  co_return rows;
}

net::Task<Rows> FillSockets(const View& view) {
  const Connected connected = co_await Collect(view);
  co_return SocketRows(connected, false);
}

net::Task<Rows> FillActiveSockets(const View& view) {
  const Connected connected = co_await Collect(view);
  co_return SocketRows(connected, true);
}

net::Task<Rows> FillFds(const View& view) {
  const Connected connected = co_await Collect(view);
  Rows rows;
  for (const ClientInfo& client : connected.clients) {
    rows.push_back(
        FdRow(client.fd, "client", client.user, client.database, client.address, client.port));
  }
  for (const Server& server : connected.servers) {
    const pooler::BackendOrigin& origin = server.shown.origin;
    rows.push_back(FdRow(server.shown.fd, "server", server.user, server.database, origin.address,
                         origin.port));
  }
  co_return rows;
}

}  // namespace pgweir::proxy
