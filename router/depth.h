#pragma once

#include "router/sql_scanner.h"

namespace pgweir::router {

// Bounds for what is given to the grammar: the tree is packed and unpacked by recursion, and
// packing a chain takes time by the square of its length.
inline constexpr int kMaxNesting = 200;
inline constexpr int kMaxDepth = 1000;

struct Depth {
  int nesting = 0;  // of () and []
  // An upper bound, but for a small factor, of how deep the syntax tree is: 1+1+1 and NOT NOT x are
  // deep without any bracket. a, b, c and a AND b OR c = d are not.
  int depth = 0;
};

Depth MeasureDepth(const SqlScan& scan);

}  // namespace pgweir::router
