#include "proxy/health.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "pooler/node_monitor.h"
#include "proxy/overview.h"

namespace pgweir::proxy {
namespace {

HttpAnswer Json(unsigned status, const JsonText& json) {
  return {status, "application/json", json.text() + "\n"};
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

void AddNodes(JsonText& json, const std::vector<pooler::NodeViewRef>& nodes) {
  json.Key("nodes").BeginObject();
  for (const pooler::NodeViewRef& node : nodes) {
    json.Key(NameOf(*node)).String(HasPrimary(*node) ? "up" : "down");
  }
  json.EndObject();
}

void AddServers(JsonText& json, const pooler::NodeView& node) {
  json.Key(NameOf(node)).BeginArray();
  for (const pooler::ServerView& server : node.servers) {
    json.BeginObject();
    json.Key("host").String(server.host).Key("port").String(server.port);
    json.Key("role").String(NameOf(server.role)).Key("state").String(NameOf(server.condition));
    if (server.lag_bytes.has_value()) json.Key("lag_bytes").Number(*server.lag_bytes);
    if (!server.error.empty()) json.Key("error").String(server.error);
    json.EndObject();
  }
  json.EndArray();
}

// {"status": status
JsonText Begin(std::string_view status) {
  JsonText json;
  json.BeginObject().Key("status").String(status);
  return json;
}

}  // namespace

HttpAnswer Health() { return Json(200, Begin("ok").EndObject()); }

HttpAnswer Ready(const Shared& shared) {
  if (shared.control.shutting_down()) {
    return Json(503, Begin("not ready").Key("reason").String("draining").EndObject());
  }
  const auto nodes = shared.nodes.Views();
  if (AllUp(nodes)) return Json(200, Begin("ready").EndObject());
  JsonText json = Begin("not ready");
  json.Key("reason").String("a node has no usable primary");
  AddNodes(json, nodes);
  return Json(503, json.EndObject());
}

HttpAnswer DatabaseHealth(const Shared& shared) {
  const auto nodes = shared.nodes.Views();
  const bool up = AllUp(nodes);
  JsonText json = Begin(up ? "ok" : "down");
  AddNodes(json, nodes);
  return Json(up ? 200 : 503, json.EndObject());
}

HttpAnswer DetailedHealth(const Shared& shared, const Snapshot& snapshot) {
  const auto views = shared.nodes.Views();
  const pooler::Pool::Counts sum = AllPools(shared);
  const bool draining = shared.control.shutting_down();
  JsonText json = Begin(draining ? "draining" : AllUp(views) ? "ok" : "degraded");
  json.Key("version").String(PGWEIR_VERSION);
  json.Key("workers").Number(shared.hosts.size());
  json.Key("clients").Number(shared.clients.load());
  json.Key("max_clients").Number(snapshot.config().listen.max_clients);
  json.Key("backends").Number(sum.open());
  json.Key("waiting").Number(sum.waiting);
  json.Key("nodes").BeginObject();
  for (const pooler::NodeViewRef& node : views) AddServers(json, *node);
  return Json(200, json.EndObject().EndObject());
}

}  // namespace pgweir::proxy
