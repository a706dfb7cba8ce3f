#pragma once

#include <optional>
#include <string_view>

#include "wire/protocol.h"

namespace pgweir::proxy {

// What a request asks for around a statement's rows.
struct CacheableRequest {
  bool extended = false;
  bool parses = false;         // the unnamed statement
  bool describes = false;      // the portal
  std::string_view statement;  // the name that is bound

  // A Query is always told what its rows look like.
  bool wants_description() const { return !extended || describes; }
};

// Nothing unless the request is one statement, whole, whose answer is all of its rows: a Query, or
// Bind and Execute of the unnamed portal, with a Parse of the unnamed statement before them or
// none, and a Sync.
std::optional<CacheableRequest> ReadCacheable(wire::Bytes request);

// The answer's messages before the rows, and behind them.
void AppendBeforeRows(std::string& out, const CacheableRequest& request,
                      std::string_view row_description);
void AppendBehindRows(std::string& out, std::string_view tag, wire::TransactionStatus status);

}  // namespace pgweir::proxy
