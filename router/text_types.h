#pragma once

#include <cstdint>

// OIDs of types that the server knows by them (src/include/catalog/pg_type.dat): those that symbols
// come in, and what arguments of functions have.

namespace pgweir::router {

inline constexpr uint32_t kBoolOid = 16;
inline constexpr uint32_t kTextOid = 25;
inline constexpr uint32_t kBpcharOid = 1042;
inline constexpr uint32_t kVarcharOid = 1043;
inline constexpr uint32_t kUnknownOid = 705;
inline constexpr uint32_t kTextArrayOid = 1009;
inline constexpr uint32_t kBpcharArrayOid = 1014;
inline constexpr uint32_t kVarcharArrayOid = 1015;

inline bool IsTextType(uint32_t oid) {
  return oid == kTextOid || oid == kVarcharOid || oid == kBpcharOid;
}
inline bool IsTextArrayType(uint32_t oid) {
  return oid == kTextArrayOid || oid == kVarcharArrayOid || oid == kBpcharArrayOid;
}

}  // namespace pgweir::router
