#include "proxy/catalog_question.h"

#include <utility>

#include "pooler/login.h"

namespace pgweir::proxy {

Status AskCatalogs(const pooler::Target& target, const CatalogPatience& patience,
                   absl::FunctionRef<const char*(size_t)> query,
                   std::span<std::vector<router::CatalogRow>> rows) {
  pooler::Target asking = target;
  asking.keywords.emplace_back("application_name", "pgweir catalog");
  const auto connection = pooler::LogInAndWait(asking, patience.connecting);
  if (!connection.ok()) return connection.status();
  for (const char* first :
       {"SET statement_timeout = '30s'", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}) {
    const auto done = pooler::QueryAndWait(*connection, first, patience.query);
    if (!done.ok()) return done.status();
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    auto result = pooler::QueryAndWait(*connection, query(i), patience.query);
    if (!result.ok()) return result.status();
    rows[i] = *std::move(result);
  }
  return absl::OkStatus();
}

}  // namespace pgweir::proxy
