#include "router/text_hash.h"

#include <cstring>

namespace pgweir::router {
namespace {

// Odd constants of no structure: the fractional parts of the square roots of 2, 3 and 5.
constexpr uint64_t kFirst = 0x6a09e667f3bcc909;
constexpr uint64_t kSecond = 0xbb67ae8584caa73b;
constexpr uint64_t kThird = 0x3c6ef372fe94f82b;

uint64_t Fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Load(const char* at) {
  uint64_t value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) value = __builtin_bswap64(value);
  return value;
}

}  // namespace

uint64_t HashText(std::string_view text, uint64_t seed) {
  uint64_t state = seed ^ kThird;
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 16; at += 16, left -= 16) {
    state = Fold(Load(at) ^ kFirst ^ state, Load(at + 8) ^ kSecond) + state;
  }
  char tail[16] = {};
  if (left != 0) std::memcpy(tail, at, left);
  state = Fold(Load(tail) ^ kFirst ^ state, Load(tail + 8) ^ kSecond) + state;
  return Fold(state ^ kSecond, text.size() ^ kThird);
}

}  // namespace pgweir::router
