#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "proxy/request_contents.h"

namespace pgweir::proxy {

// A statement that is carried out on every node of a database: by itself, in a transaction on each
// node, all committed last.
struct SchemaChange {
  std::string sql;
  // No transaction may be around it (CONCURRENTLY, VACUUM): it is done on one node after the other.
  bool one_by_one = false;
};

// Of a request that the planner sends everywhere; its statement is the only one carried out.
StatusOr<SchemaChange> SchemaChangeOf(const RequestContents& request,
                                      const ReadingContext& context);

// What a server would answer to `request` once its statement is done with this tag.
std::string AnswerTo(wire::Bytes request, std::string_view tag);

}  // namespace pgweir::proxy
