#include "proxy/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "observe/json_text.h"
#include "pooler/node_monitor.h"
#include "proxy/overview.h"

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

bool AllUp(const std::vector<pooler::NodeViewRef>& nodes) {
  return std::ranges::all_of(nodes, [](const auto& node) { return HasPrimary(*node); });
}

// "name": "up" or "down", with commas.
std::string NodesJson(const std::vector<pooler::NodeViewRef>& nodes) {
  std::string text;
  for (const pooler::NodeViewRef& node : nodes) {
    text += fmt::format("{}{}:\"{}\"", text.empty() ? "" : ",", Quoted(NameOf(*node)),
                        HasPrimary(*node) ? "up" : "down");
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
  const auto nodes = shared.nodes.Views();
  if (AllUp(nodes)) return Json(200, R"({"status":"ready"})");
  return Json(
      503, fmt::format(
               R"({{"status":"not ready","reason":"a node has no usable primary","nodes":{{{}}}}})",
               NodesJson(nodes)));
}

HttpAnswer DatabaseHealth(const Shared& shared) {
  const auto nodes = shared.nodes.Views();
  const bool up = AllUp(nodes);
  return Json(up ? 200 : 503, fmt::format(R"({{"status":"{}","nodes":{{{}}}}})", up ? "ok" : "down",
                                          NodesJson(nodes)));
}

HttpAnswer DetailedHealth(const Shared& shared, const Snapshot& snapshot) {
  const auto views = shared.nodes.Views();
  const pooler::Pool::Counts sum = AllPools(shared);
  std::string nodes;
  for (const pooler::NodeViewRef& node : views) {
    nodes += fmt::format("{}{}:[{}]", nodes.empty() ? "" : ",", Quoted(NameOf(*node)),
                         ServersJson(*node));
  }
  const bool draining = shared.control.shutting_down();
  return Json(200,
              fmt::format(R"({{"status":"{}","version":"{}","workers":{},"clients":{},)"
                          R"("max_clients":{},"backends":{},"waiting":{},"nodes":{{{}}}}})",
                          draining       ? "draining"
                          : AllUp(views) ? "ok"
                                         : "degraded",
                          PGWEIR_VERSION, shared.hosts.size(), shared.clients.load(),
                          snapshot.config().listen.max_clients, sum.open(), sum.waiting, nodes));
}

}  // namespace pgweir::proxy
