#pragma once

#include <string>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

// Debian builds abseil with its own string_view, which does not convert to or from the standard
// one. The project speaks std::string_view; these two are the only seam.

namespace pgweir {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

// For hash maps keyed by std::string that are searched by std::string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return absl::HashOf(ToAbsl(s)); }
};
struct StringEq {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

// The same as to.assign(from), but cheap where there is mostly nothing.
inline void AssignMostlyNothing(std::string& to, std::string_view from) {
  if (from.empty()) {
    to.clear();
  } else {
    to.assign(from);
  }
}

}  // namespace pgweir
