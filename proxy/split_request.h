#pragma once

#include <string>

#include "proxy/part_text.h"
#include "proxy/request_contents.h"
#include "router/planner.h"

namespace pgweir::proxy {

// What one of several nodes is sent of a read that goes to all of them: of lists of symbols only
// its own part, where it can be told.
struct RequestPart {
  std::string request;  // with its part of a Query's text or of a Bind's values; "" = as it stands
  PartText text;        // its part of the text that a Bind is of
};
RequestPart SplitRequest(wire::Bytes request, const ReadingContext& context,
                         router::Planner& planner, router::NodeId node);

}  // namespace pgweir::proxy
