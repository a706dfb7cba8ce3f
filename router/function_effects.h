#pragma once

#include <cstdint>
#include <string_view>

namespace pgweir::router {

// What a call of a function of pg_catalog does to its session or writes, beyond its transaction.
uint32_t BuiltInEffects(std::string_view name);

}  // namespace pgweir::router
