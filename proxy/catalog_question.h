#pragma once

#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "base/status.h"
#include "pooler/target.h"
#include "router/catalog_queries.h"

namespace pgweir::proxy {

// How long a node is waited for.
struct CatalogPatience {
  Duration connecting, query;
};
// Of those who serve meanwhile. The server's own limit is half of the second.
inline constexpr CatalogPatience kCatalogPatience{std::chrono::seconds(10),
                                                  std::chrono::seconds(60)};

// Asks a node's catalogs `query(0)`, `query(1)` … for each of `rows`, all in one transaction that
// only reads, on a connection of its own, which is closed again. On a thread that may wait.
Status AskCatalogs(const pooler::Target& target, const CatalogPatience& patience,
                   absl::FunctionRef<const char*(size_t)> query,
                   std::span<std::vector<router::CatalogRow>> rows);

}  // namespace pgweir::proxy
