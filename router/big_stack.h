#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace pgweir::router {

// Runs `work` on a stack of kBigStack bytes that the calling thread keeps for this, and returns
// when it is done: PostgreSQL's grammar and trees recurse deeper than a thread's own stack allows.
// `work` must not throw. Not reentrant.
inline constexpr size_t kBigStack = size_t{64} << 20;
void OnBigStack(absl::FunctionRef<void()> work);

// Gives the pages of the calling thread's big stack back to the system, but for the uppermost.
void ReleaseBigStack();

}  // namespace pgweir::router
