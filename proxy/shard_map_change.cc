#include "proxy/shard_map_change.h"

#include <vector>

#include "config/file.h"
#include "config/shard_map_edit.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {
namespace {

using config::ShardMap;

Status Refused(std::string_view path, std::string_view why) {
  return Errorf(sqlstate::kConfigFileError, "{}: {}; nothing was written", path, why);
}

// Of the databases that the file is the map of, each has to take it.
Status CheckEdited(const config::Config& config, const ShardMap& map, const std::string& edited,
                   const ShardMapChange& change) {
  bool used = false;
  for (const auto& [name, database] : config.databases) {
    if (database.shard_map == nullptr || database.shard_map->path != map.path) continue;
    std::vector<std::string> nodes;
    for (const config::Node& node : database.all_nodes()) nodes.push_back(node.name);
    const auto parsed = config::ParseShardMap(edited, map.path, nodes);
    if (!parsed.ok()) return parsed.status();
    if (!config::DiffersOnlyIn(*parsed, map, change.pattern, change.node)) {
      return Refused(map.path, "its layout can't be edited from here: do it by hand, then RELOAD");
    }
    used = used || name == change.database;
  }
  if (used) return absl::OkStatus();
  return Refused(map.path, "the configuration's file names another map by now: RELOAD first");
}

}  // namespace

Status ChangeShardMap(const std::string& config_path, const Snapshot& serving,
                      const ShardMapChange& change) {
  const config::Database* const database = serving.config().FindDatabase(change.database);
  if (database == nullptr || database->shard_map == nullptr) {
    return Errorf(sqlstate::kConfigFileError, "database {} has no shard map", change.database);
  }
  const ShardMap& map = *database->shard_map;
  const auto edited = change.node.has_value()
                          ? config::WithPattern(map, change.pattern, *change.node)
                          : config::WithoutPattern(map, change.pattern);
  if (!edited.ok()) return edited.status();
  // The reload that follows reads everything: what else would fail it fails the change as well.
  const auto present = config::ReadFile(map.path, config::kMaxShardMapBytes);
  if (!present.ok()) return Refused(map.path, MessageOf(present.status()));
  if (*present != map.text) {
    return Refused(map.path, "it has been changed since it was loaded: RELOAD first");
  }
  const auto next = Snapshot::Load(config_path);
  if (!next.ok()) return next.status();
  if (Status sound = CheckEdited((*next)->config(), map, *edited, change); !sound.ok()) {
    return sound;
  }
  const Status written = config::ReplaceFile(map.path, *edited);
  return written.ok() ? written : Refused(map.path, MessageOf(written));
}

}  // namespace pgweir::proxy
