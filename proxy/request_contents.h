#pragma once

#include <string_view>

#include "absl/container/inlined_vector.h"
#include "proxy/session_state.h"
#include "router/statement_facts.h"
#include "wire/parameters.h"
#include "wire/protocol.h"

namespace pgweir::router {
class StatementCache;
}

namespace pgweir::proxy {

// One mention of a statement in a client's request.
struct RequestStatement {
  enum class Use : uint8_t {
    kQuery,     // carried out
    kParse,     // prepared
    kBind,      // carried out, with these values
    kDescribe,  // asked about
    kUnknown,   // a function call, a statement that there isn't, or one too long to be read
  };
  Use use = Use::kUnknown;
  router::FactsRef facts;   // null when it isn't known
  std::string_view text;    // of the client's; "" when it isn't at hand
  std::string_view types;   // of its parameters, as Parse has them: a count and OIDs
  std::string_view values;  // of a Bind: what follows the names, as far as it is here
  bool cut = false;         // `values` lacks its end, or the names are too long to be seen
  bool too_long = false;    // the text is longer than what is read of one
  bool not_kept = false;    // it is on one backend only, and what it says isn't known any more

  // It does something, and isn't just got ready.
  bool carried_out() const { return use != Use::kParse && use != Use::kDescribe; }
};

// What a request of a client's is made of. Views are as good as the request and the session's
// state.
struct RequestContents {
  // So many, as pipelines have, take no memory of their own.
  absl::InlinedVector<RequestStatement, 24> statements;
  int executions = 0;      // Query and Execute messages
  bool in_pieces = false;  // an Execute asks for so many rows only
  bool complete = false;   // it ends with a Query or Sync, and nothing of it is missing
};

struct ReadingContext {
  const SessionState& state;
  const wire::Parameters& settings;
  router::StatementCache& statements;
};

// `request` is what RequestReader gives: from a message's beginning, perhaps with a part missing at
// its end.
RequestContents ReadRequest(wire::Bytes request, const ReadingContext& context);

}  // namespace pgweir::proxy
