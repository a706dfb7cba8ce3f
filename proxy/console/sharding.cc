// What the console says and does about sharded databases.

#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "proxy/console/console.h"
#include "proxy/explain_route.h"
#include "proxy/host.h"

namespace pgweir::proxy {

StatusOr<const config::Database*> Console::DatabaseMeant(const std::string& named) const {
  const config::Config& config = host_.snapshot()->config();
  if (!named.empty()) {
    const Status known = CheckDatabase(named);
    if (!known.ok()) return known;
    return config.FindDatabase(named);
  }
  std::vector<std::string_view> sharded;
  for (const auto& [name, database] : config.databases) {
    if (database.shard_map != nullptr) sharded.push_back(name);
  }
  if (sharded.size() == 1) return config.FindDatabase(sharded[0]);
  return sharded.empty() ? Error(sqlstate::kProtocolViolation,
                                 "no database is sharded: name one, DATABASE name")
                         : Errorf(sqlstate::kProtocolViolation,
                                  "several databases are sharded, name one by DATABASE name: {}",
                                  fmt::join(sharded, ", "));
}

Result Console::Explained(const Command& command, std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  Result result;
  result.columns = OwnColumns(command);
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    result.rows.emplace_back().Text(line);
  }
  result.tag = "EXPLAIN";
  return result;
}

StatusOr<Result> Console::ExplainRoute(const Command& command) {
  const auto database = DatabaseMeant(command.database);
  if (!database.ok()) return database.status();
  const std::string& name = command.database.empty() ? (*database)->name : command.database;
  const router::CatalogRef catalog = host_.shared().catalogs.Find((*database)->node.name, name);
  const RouteKnowledge knowledge{**database, host_.snapshot()->ShardMapOf((*database)->name),
                                 catalog, ""};
  std::string text = proxy::ExplainRoute(knowledge, command.value);
  Result result = Explained(command, std::move(text));
  if (catalog == nullptr) {
    result.notice = "the database's catalog is not known as long as no client is logged in to it";
  }
  return result;
}

net::Task<Status> Console::EditShardMap(Command command) {
  const auto database = DatabaseMeant(command.database);
  if (!database.ok()) co_return database.status();
  ShardMapChange change{(*database)->name, std::move(command.name), std::nullopt};
  if (command.kind == Command::Kind::kSetShard) change.node = std::move(command.value);
  const auto ask = [&change](Control& control, Control::Done done) {
    control.RequestMapChange(std::move(change), std::move(done));
  };
  co_return co_await AwaitControl(ask);
}

}  // namespace pgweir::proxy
