#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct sockaddr;

namespace pgweir {

// An IPv4 or IPv6 address as a value. An IPv4 address that came wrapped in an IPv6 one is that IPv4
// address.
class IpAddress {
 public:
  enum class Family : uint8_t { kV4, kV6 };

  // Text in the usual notations, without port or zone.
  static std::optional<IpAddress> Parse(std::string_view text);
  // "1.2.3.4:5432" or "[::1]:5432".
  static std::optional<std::pair<IpAddress, uint16_t>> ParseWithPort(std::string_view text);
  // 4 or 16 bytes in network order.
  static IpAddress FromBytes(std::string_view bytes);
  // None for families other than the two.
  static std::optional<IpAddress> FromSockaddr(const sockaddr* address);

  Family family() const { return family_; }
  // How many bits an address of the family has.
  int bits() const { return family_ == Family::kV4 ? 32 : 128; }
  // The first bits() / 8 are the address, the rest is zero.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  std::string ToString() const;
  // As ParseWithPort reads it.
  std::string WithPort(uint16_t port) const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kV4;
  std::array<uint8_t, 16> bytes_{};
};

// Addresses of one family that agree in the bits of a mask.
class IpRange {
 public:
  // All addresses of the family of `address` that agree with it in the first `prefix` bits.
  IpRange(const IpAddress& address, int prefix);
  // In the bits of `mask`, an address of the same family.
  IpRange(const IpAddress& address, const IpAddress& mask) : address_(address), mask_(mask) {}

  // "10.0.0.0/8", "::1/128", or an address alone.
  static std::optional<IpRange> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;
  bool operator==(const IpRange&) const = default;

 private:
  IpAddress address_;
  IpAddress mask_;
};

}  // namespace pgweir
