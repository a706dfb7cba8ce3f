#pragma once

#include <string_view>

#include "absl/container/inlined_vector.h"
#include "router/bound_values.h"

namespace pgweir::proxy {

using BoundParameters = absl::InlinedVector<router::BoundParameter, 8>;

// The values of a Bind, as far as they are here: `values` is what follows its names; `types` are as
// Parse has them.
BoundParameters ReadParameters(std::string_view values, std::string_view types);

}  // namespace pgweir::proxy
