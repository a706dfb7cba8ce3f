#pragma once

#include <string>

#include "proxy/request_contents.h"
#include "router/planner.h"

namespace pgweir::proxy {

// What one of several nodes is sent of a read that goes to all of them: of lists of symbols only
// its own part, where it can be told apart in the text of a Query or in the values of a Bind. ""
// when that is the request as it stands. A text that is prepared stays as it is, because it is
// there for other values, too.
std::string SplitRequest(wire::Bytes request, const ReadingContext& context,
                         router::Planner& planner, router::NodeId node);

}  // namespace pgweir::proxy
