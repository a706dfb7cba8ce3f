#pragma once

#include <string_view>

#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// Whether a statement is surely a read, which any copy of the data may answer, and why not. A
// volatile function may do anything, so none is called by a read, random() included.
enum class ReadVerdict : uint8_t {
  kRead,
  kNoQuery,         // not a SELECT, or one that does more: writes, locks, sets, prepares …
  kCallsVolatile,   // a function that is volatile, or assigns a transaction id
  kAsksServer,      // about the server itself: pg_… functions and the system's relations
  kReadsNoTable,    // a sequence or a foreign table
  kReadsVolatile,   // a view or policy does one of the above
  kUnknownName,     // names what isn't in this catalog: too new, temporary, or an error
  kHiddenVolatile,  // some operator or cast of this database is volatile; none can be told apart
};
std::string_view Describe(ReadVerdict verdict);

// Of one statement, as it stands: whether its transaction is READ ONLY is not known here.
ReadVerdict JudgeRead(const StatementFacts& statement, const Catalog& catalog);

}  // namespace pgweir::router
