#pragma once

#include <compare>
#include <cstdint>

namespace pgweir {

// Identity types that do not convert into each other.
template <typename Tag>
struct Id {
  uint64_t value = 0;
  auto operator<=>(const Id&) const = default;
};

using SessionId = Id<struct SessionTag>;  // a client's connection to pgweir
using BackendId = Id<struct BackendTag>;  // a connection of pgweir's to a server

}  // namespace pgweir
