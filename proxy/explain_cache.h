#pragma once

#include <string>
#include <string_view>

#include "proxy/explain_route.h"
#include "query-cache/rules.h"

namespace pgweir::proxy {

// Whether the statement would be answered from the cache, by which rule or why not, and what its
// key is made of: lines of "key: value".
std::string ExplainCache(const RouteKnowledge& knowledge, const cache::Rules& rules,
                         std::string_view sql);

}  // namespace pgweir::proxy
