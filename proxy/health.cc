#include "proxy/health.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "observe/json_text.h"
#include "pooler/node_monitor.h"

namespace pgweir::proxy {
namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  observe::AppendJson(text, quoted);
  return quoted += '"';
}

HttpAnswer Json(unsigned status, std::string body) {
  return {status, "application/json", std::move(body) + "\n"};
}

// Of one server nobody knows more than that logins fail; of several, which is the primary.
bool HasPrimary(const pooler::NodeView& node) {
  if (node.servers.size() == 1) {
    return node.servers[0].condition != pooler::ServerCondition::kDown;
  }
  const auto primary = static_cast<size_t>(node.primary);
  return node.primary >= 0 && primary < node.servers.size() && node.servers[primary].usable();
}

std::string NameOf(const pooler::NodeView& node) {
  return node.database == node.node ? node.node : node.database + "/" + node.node;
}

// "name": "up" or "down", with commas.
std::string NodesJson(const std::vector<pooler::NodeViewRef>& nodes, bool& all_up) {
  std::string text;
  all_up = true;
  for (const pooler::NodeViewRef& node : nodes) {
    const bool up = HasPrimary(*node);
    all_up = all_up && up;
    text += fmt::format("{}{}:\"{}\"", text.empty() ? "" : ",", Quoted(NameOf(*node)),
                        up ? "up" : "down");
  }
  return text;
}

std::string ServersJson(const pooler::NodeView& node) {
  std::string text;
  for (const pooler::ServerView& server : node.servers) {
    text += fmt::format("{}{{\"host\":{},\"port\":{},\"role\":\"{}\",\"state\":\"{}\"",
                        text.empty() ? "" : ",", Quoted(server.host), Quoted(server.port),
                        NameOf(server.role), NameOf(server.condition));
    if (server.lag_bytes.has_value()) text += fmt::format(",\"lag_bytes\":{}", *server.lag_bytes);
    if (!server.error.empty()) text += fmt::format(",\"error\":{}", Quoted(server.error));
    text += '}';
  }
  return text;
}

}  // namespace

HttpAnswer Health() { return Json(200, R"({"status":"ok"})"); }

HttpAnswer Ready(const Shared& shared) {
  if (shared.control.shutting_down()) {
    return Json(503, R"({"status":"not ready","reason":"draining"})");
  }
  bool up = false;
  const std::string nodes = NodesJson(shared.nodes.Views(), up);
  if (up) return Json(200, R"({"status":"ready"})");
  return Json(
      503, fmt::format(
               R"({{"status":"not ready","reason":"a node has no usable primary","nodes":{{{}}}}})",
               nodes));
}

HttpAnswer DatabaseHealth(const Shared& shared) {
  bool up = false;
  const std::string nodes = NodesJson(shared.nodes.Views(), up);
  return Json(up ? 200 : 503,
              fmt::format(R"({{"status":"{}","nodes":{{{}}}}})", up ? "ok" : "down", nodes));
}

HttpAnswer DetailedHealth(const Shared& shared, const Snapshot& snapshot) {
  bool up = false;
  const auto views = shared.nodes.Views();
  NodesJson(views, up);
  pooler::Pool::Counts sum;
  for (const auto& listed : shared.pools.List()) sum.Add(listed.pool->counts());
  std::string nodes;
  for (const pooler::NodeViewRef& node : views) {
    nodes += fmt::format("{}{}:[{}]", nodes.empty() ? "" : ",", Quoted(NameOf(*node)),
                         ServersJson(*node));
  }
  const bool draining = shared.control.shutting_down();
  return Json(200,
              fmt::format(R"({{"status":"{}","version":"{}","workers":{},"clients":{},)"
                          R"("max_clients":{},"backends":{},"waiting":{},"nodes":{{{}}}}})",
                          draining ? "draining"
                          : up     ? "ok"
                                   : "degraded",
                          PGWEIR_VERSION, shared.hosts.size(), shared.clients.load(),
                          snapshot.config().listen.max_clients, sum.open(), sum.waiting, nodes));
}

}  // namespace pgweir::proxy
