#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// The hashes that authentication needs, from OpenSSL. Algorithms are looked up once a process.

namespace pgweir::wire {

using Sha256Digest = std::array<unsigned char, 32>;

Sha256Digest Sha256(std::string_view data);
Sha256Digest HmacSha256(std::string_view key, std::string_view data);

// PBKDF2 with HMAC-SHA-256, RFC 5802's Hi(). `iterations` is from 1 to INT32_MAX.
Sha256Digest Pbkdf2Sha256(std::string_view password, std::string_view salt, uint32_t iterations);

// md5 as 32 lower-case hexadecimal digits.
std::string Md5Hex(std::string_view data);

// Whether both are the same bytes, in a time that depends on their lengths only.
bool SameSecret(std::string_view a, std::string_view b);

inline std::string_view AsText(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace pgweir::wire
