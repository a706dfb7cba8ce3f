#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "router/catalog.h"
#include "router/shard_map.h"

namespace pgweir::proxy {

// What there is to know of a database for telling where its statements go.
struct RouteKnowledge {
  const config::Database& database;
  router::ShardMapRef map;     // null = one node holds everything
  router::CatalogRef catalog;  // of the node of what isn't divided; null = unknown
  std::string_view user;       // whose statements; "" = anybody's
};

// Where each statement of the text would go if it were sent by itself, and why: lines of
// "key: value", a paragraph a statement. Values are the literals; parameters have none.
std::string ExplainRoute(const RouteKnowledge& knowledge, std::string_view sql);

}  // namespace pgweir::proxy
