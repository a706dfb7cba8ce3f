#pragma once

#include <optional>
#include <vector>

#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// The overloads of a function that its calls in a statement may mean.
struct CalledFunction {
  std::optional<Volatility> volatility;  // the greatest; nothing when the catalog has none
  bool unseen = false;                   // as Catalog::RunsUnseen has it
};

// By index in StatementFacts::functions.
//
// An overload is left out only where the server can't choose it: it doesn't take so many
// arguments, or another one, which the server considers whenever it considers this one, has the
// exact types of more arguments (func_select_candidate in src/backend/parser/parse_func.c). Of
// several that are left the server's further rules are not looked at.
std::vector<CalledFunction> FunctionsCalled(const StatementFacts& statement,
                                            const Catalog& catalog);

}  // namespace pgweir::router
