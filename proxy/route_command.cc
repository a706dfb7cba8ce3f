#include "proxy/route_command.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "pooler/pools.h"
#include "proxy/explain_route.h"
#include "proxy/node_catalog.h"

namespace pgweir::proxy {
namespace {

constexpr CatalogPatience kPatience{std::chrono::seconds(3), std::chrono::seconds(10)};

// By the user's secret where that is enough; libpq may know another one.
StatusOr<pooler::Target> TargetOf(const Snapshot& snapshot, const config::Database& database,
                                  const CommandLine& command) {
  const std::string* const secret = snapshot.users().Find(command.user);
  const auto with = [&](const std::string* known) {
    return pooler::Pools::TargetFor({database, command.database, command.user, known});
  };
  auto target = with(secret);
  return target.ok() || secret == nullptr ? target : with(nullptr);
}

StatusOr<router::CatalogRef> ReadCatalog(const Snapshot& snapshot, const config::Database& database,
                                         const CommandLine& command) {
  const auto target = TargetOf(snapshot, database, command);
  if (!target.ok()) return target.status();
  const auto rows = AskForCatalog(*target, kPatience);
  if (!rows.ok()) return rows.status();
  return router::Catalog::FromRows(*rows);
}

}  // namespace

std::string AnswerRoute(const Snapshot& snapshot, const CommandLine& command) {
  const config::Database& database = *snapshot.config().FindDatabase(command.database);
  const auto catalog = ReadCatalog(snapshot, database, command);
  if (!catalog.ok()) {
    std::string message = MessageOf(catalog.status());
    std::erase(message, '\t');
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::fprintf(stderr, "pgweir: the catalog of node %s is not known: %s\n",
                 database.node.name.c_str(), message.c_str());
  }
  const RouteKnowledge knowledge{database, snapshot.ShardMapOf(database.name),
                                 catalog.ok() ? *catalog : nullptr, command.user};
  return ExplainRoute(knowledge, command.sql);
}

}  // namespace pgweir::proxy
