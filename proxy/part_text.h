#pragma once

#include <string>

namespace pgweir::proxy {

// The text of a statement that was prepared, and what stands for it on one node, with the same
// parameters.
struct PartText {
  std::string whole;
  std::string here;  // "" = itself

  void Clear() {
    whole.clear();
    here.clear();
  }
};

}  // namespace pgweir::proxy
