// What the console says and does about the query cache.

#include <charconv>

#include "base/strings.h"
#include "proxy/cache_admissions.h"
#include "proxy/cached_read.h"
#include "proxy/console/console.h"
#include "proxy/explain_cache.h"
#include "proxy/host.h"

namespace pgweir::proxy {
namespace {

// Of each database of the configuration, as its servers call it.
std::vector<cache::DatabaseId> DatabaseIds(const config::Database& database,
                                           const std::string& name) {
  std::vector<cache::DatabaseId> ids;
  for (const config::Node& node : database.all_nodes()) ids.push_back(ServersDatabase(node, name));
  return ids;
}

std::optional<uint64_t> Hexadecimal(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Status Console::NoCache() {
  return WithHint(Error(sqlstate::kProtocolViolation, "there is no query cache"),
                  "cache.enabled = true in the configuration makes one at the next start.");
}

StatusOr<const config::Database*> Console::OnlyDatabase(const std::string& named) const {
  const config::Config& config = host_.snapshot()->config();
  if (!named.empty()) return DatabaseMeant(named);
  if (config.databases.size() == 1) return &config.databases.begin()->second;
  return Error(sqlstate::kProtocolViolation,
               "several databases are configured: name one by DATABASE name");
}

StatusOr<Result> Console::ExplainCache(const Command& command) {
  if (host_.shared().cache == nullptr) return NoCache();
  const auto database = OnlyDatabase(command.database);
  if (!database.ok()) return database.status();
  const std::string& name = command.database.empty() ? (*database)->name : command.database;
  const RouteKnowledge knowledge{**database, host_.snapshot()->ShardMapOf((*database)->name),
                                 host_.shared().catalogs.Find((*database)->node.name, name), ""};
  std::string text =
      proxy::ExplainCache(knowledge, *host_.snapshot()->cache_rules(), command.value);
  return Explained(command, std::move(text));
}

// What is outdated is served to nobody from here on; its memory is free when this is done.
net::Task<Status> Console::FlushCache(Command command) {
  cache::QueryCache* const cache = host_.shared().cache;
  if (cache == nullptr) co_return NoCache();
  const SnapshotRef snapshot = host_.snapshot();
  std::function<bool(const cache::Entry&)> matches;
  if (command.name.empty()) {
    cache->versions.BumpAll();
    matches = [](const cache::Entry&) { return true; };
  } else if (command.name == "database") {
    const Status known = CheckDatabase(command.value);
    if (!known.ok()) co_return known;
    const auto ids = DatabaseIds(*snapshot->config().FindDatabase(command.value), command.value);
    for (const cache::DatabaseId id : ids) cache->versions.Bump({id, {}, true});
    matches = [ids](const cache::Entry& entry) {
      return std::find(ids.begin(), ids.end(), entry.database) != ids.end();
    };
  } else if (command.name == "table") {
    const size_t point = command.value.find('.');
    const std::string schema =
        point == std::string::npos ? "public" : command.value.substr(0, point);
    const std::string table =
        point == std::string::npos ? command.value : command.value.substr(point + 1);
    std::vector<cache::TableId> ids;
    for (const auto& [name, database] : snapshot->config().databases) {
      for (const cache::DatabaseId id : DatabaseIds(database, name)) {
        ids.push_back(cache::TableOf(id, schema, table));
        cache->versions.Bump({id, {{ids.back(), {}}}, false});
      }
    }
    matches = [ids](const cache::Entry& entry) {
      return std::find_first_of(entry.tables.begin(), entry.tables.end(), ids.begin(), ids.end()) !=
             entry.tables.end();
    };
  } else if (command.name == "rule") {
    const cache::Rules& rules = *snapshot->cache_rules();
    size_t index = 0;
    while (index < rules.size() && RuleName(rules[index]) != command.value) ++index;
    if (index == rules.size()) {
      co_return Errorf(sqlstate::kProtocolViolation, "no such rule: {} (SHOW CACHE RULES)",
                       command.value);
    }
    matches = [id = rules[index].id](const cache::Entry& entry) { return entry.rule == id; };
  } else {
    const auto digest = Hexadecimal(command.value);
    if (!digest.has_value()) {
      co_return Errorf(sqlstate::kProtocolViolation, "a digest is 16 hexadecimal digits: {}",
                       command.value);
    }
    matches = [digest](const cache::Entry& entry) { return entry.digest == *digest; };
  }
  const auto ask = [&matches](Control& control, Control::Done done) {
    control.RequestFlush(std::move(matches), std::move(done));
  };
  co_return co_await AwaitControl(ask);
}

}  // namespace pgweir::proxy
