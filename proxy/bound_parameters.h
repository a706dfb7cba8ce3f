#pragma once

#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "proxy/request_contents.h"
#include "router/bound_values.h"
#include "router/planner.h"

namespace pgweir::proxy {

using BoundParameters = absl::InlinedVector<router::BoundParameter, 8>;

// The values of a Bind, as far as they are here: `values` is what follows its names; `types` are as
// Parse has them.
BoundParameters ReadParameters(std::string_view values, std::string_view types);

// Of the same, all but the formats of the answer, which are its end.
std::string_view ValuesOf(std::string_view values);

// The symbols that one of a request's statements depends on, or may change, with its values: the
// `index`th of its text, which is at hand.
std::vector<router::TouchedSymbols> SymbolsOf(const RequestStatement& statement, size_t index,
                                              const ReadingContext& context,
                                              router::Planner& planner);

}  // namespace pgweir::proxy
