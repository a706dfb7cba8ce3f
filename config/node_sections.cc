#include <algorithm>
#include <array>

#include "config/sections.h"
#include "config/shard_map.h"

// Where a database lies: one node, or several with a shard map.

namespace pgweir::config {
namespace {

// Sets of nodes are kept as so many bits (router/node_set.h).
constexpr size_t kMaxNodes = 256;

constexpr std::array<std::pair<std::string_view, Consistency>, 3> kConsistencies{
    {{"eventual", Consistency::kEventual},
     {"session", Consistency::kSession},
     {"primary", Consistency::kPrimary}}};

constexpr std::array<std::pair<std::string_view, ReplicaFallback>, 2> kFallbacks{
    {{"primary", ReplicaFallback::kPrimary}, {"error", ReplicaFallback::kError}}};

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// A connection string, or a table of one and its labels.
void ReadReplica(TableReader& node, const TomlValue& value, std::vector<Replica>& replicas) {
  constexpr std::string_view kExpected =
      "must be a libpq connection string, or { conninfo = \"…\", labels = [\"…\"] }";
  Replica replica;
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    replica.conninfo = *text;
  } else if (std::holds_alternative<TomlTable>(value.value)) {
    TableReader table = node.Part(value, "replicas");
    replica.conninfo = table.Text("conninfo").value_or("");
    replica.labels = table.Texts("labels").value_or(std::vector<std::string>());
    table.RejectUnknown();
  }
  if (IsBlank(replica.conninfo) || replica.conninfo.find('\0') != std::string::npos) {
    return node.FaultAt(value.at, "replicas", kExpected);
  }
  replicas.push_back(std::move(replica));
}

// `primary` and `replicas` of a database of one node, or of one of its nodes. Whether a string is
// one that libpq understands is seen where libpq is known.
Node ReadNode(TableReader& reader, std::string name) {
  Node node{.name = std::move(name), .primary = {}, .replicas = {}};
  const auto primary = reader.Text("primary");
  node.primary = primary.value_or("");
  for (const TomlValue& value : reader.List("replicas")) ReadReplica(reader, value, node.replicas);
  if (!reader.Has("primary")) {
    reader.Fault("must have a primary, a libpq connection string");
  } else if (primary.has_value() && IsBlank(node.primary)) {
    reader.Fault("primary", "must be a libpq connection string, not empty");
  }
  return node;
}

std::vector<Node> ReadAllNodes(TableReader& database, const std::string& database_name) {
  TableReader table = database.Table("nodes");
  const bool has_nodes = database.Has("nodes");
  const bool has_servers = database.Has("primary") || database.Has("replicas");
  if (has_nodes && has_servers) {
    database.Fault("nodes", "must not stand beside primary or replicas: use one or the other");
  }
  if (has_servers || !has_nodes) return {ReadNode(database, database_name)};
  std::vector<Node> nodes;
  for (auto& [name, reader] : table.NamedTables()) {
    nodes.push_back(ReadNode(reader, name));
    reader.RejectUnknown();
  }
  if (table.IsEmpty()) database.Fault("nodes", "must have a node: a table with a primary");
  if (nodes.size() > kMaxNodes) {
    database.Fault("nodes", fmt::format("must have at most {} nodes", kMaxNodes));
  }
  return nodes;
}

bool HasLabel(const Database& database, const std::string& label) {
  for (const Node& node : database.nodes) {
    for (const Replica& replica : node.replicas) {
      const auto& labels = replica.labels;
      if (std::find(labels.begin(), labels.end(), label) != labels.end()) return true;
    }
  }
  return false;
}

void ReadLabels(TableReader reader, Database& database) {
  const auto read = [&](std::string_view key, auto& labels) {
    for (const TomlEntry& entry : reader.NamedTexts(key)) {
      const auto& label = std::get<std::string>(entry.value.value);
      if (!HasLabel(database, label)) {
        reader.FaultAt(entry.value.at, key,
                       fmt::format("no replica of the database has the label {}", ShownKey(label)));
      }
      labels.emplace(entry.key, label);
    }
  };
  read("users", database.labels.users);
  read("application_names", database.labels.application_names);
  reader.RejectUnknown();
}

void ReadShardMap(TableReader& reader, const std::filesystem::path& folder, Database& database) {
  const std::string path = ReadPath(reader, "shard_map", folder);
  if (path.empty()) {
    if (database.nodes.size() > 1) {
      reader.Fault("nodes", "must have one node only, or a shard_map that says what each holds");
    }
    return;
  }
  std::vector<std::string> names;
  for (const Node& node : database.nodes) names.push_back(node.name);
  auto map = LoadShardMap(path, names);
  if (!map.ok()) return reader.faults().AddOfOtherFile(MessageOf(map.status()));
  const auto holds_rest = std::find_if(database.nodes.begin(), database.nodes.end(),
                                       [&](const Node& n) { return n.name == map->default_node; });
  if (holds_rest != database.nodes.end()) database.node = *holds_rest;
  database.shard_map = std::make_shared<const ShardMap>(std::move(*map));
}

}  // namespace

void ReadNodes(TableReader& reader, const std::filesystem::path& folder, Database& database) {
  database.nodes = ReadAllNodes(reader, database.name);
  if (!database.nodes.empty()) database.node = database.nodes.front();
  ReadShardMap(reader, folder, database);
  database.consistency =
      reader.Choice<Consistency>("consistency", kConsistencies).value_or(database.consistency);
  database.max_lag = reader.Time("max_lag", milliseconds{1}).value_or(database.max_lag);
  database.replica_fallback = reader.Choice<ReplicaFallback>("replica_fallback", kFallbacks)
                                  .value_or(database.replica_fallback);
  ReadLabels(reader.Table("labels"), database);
}

}  // namespace pgweir::config
