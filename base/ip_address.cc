#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "fmt/format.h"

namespace pgweir {
namespace {

constexpr std::string_view kWrappedV4("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

IpAddress MaskOf(const IpAddress& address, int prefix) {
  PGWEIR_CHECK(prefix >= 0 && prefix <= address.bits());
  std::string bytes(static_cast<size_t>(address.bits() / 8), '\0');
  for (int bit = 0; bit < prefix; ++bit) {
    bytes[static_cast<size_t>(bit / 8)] |= static_cast<char>(0x80 >> bit % 8);
  }
  return IpAddress::FromBytes(bytes);
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  char bytes[16];
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return FromBytes({bytes, 4});
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) == 1) return FromBytes({bytes, 16});
  return std::nullopt;
}

std::optional<std::pair<IpAddress, uint16_t>> IpAddress::ParseWithPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Parse(host);
  uint16_t port = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, port);
  if (!address.has_value() || error != std::errc() || end != last) return std::nullopt;
  if (bracketed != (host.find(':') != host.npos)) return std::nullopt;
  return std::pair(*address, port);
}

IpAddress IpAddress::FromBytes(std::string_view bytes) {
  PGWEIR_CHECK(bytes.size() == 4 || bytes.size() == 16);
  IpAddress address;
  if (bytes.size() == 16 && bytes.starts_with(kWrappedV4)) bytes.remove_prefix(kWrappedV4.size());
  address.family_ = bytes.size() == 4 ? Family::kV4 : Family::kV6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::FromSockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return FromBytes({reinterpret_cast<const char*>(&v4), 4});
  }
  if (address->sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return FromBytes({reinterpret_cast<const char*>(&v6), 16});
  }
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  const int family = family_ == Family::kV4 ? AF_INET : AF_INET6;
  PGWEIR_CHECK(inet_ntop(family, bytes_.data(), text, sizeof text) != nullptr);
  return text;
}

std::string IpAddress::WithPort(uint16_t port) const {
  if (family_ == Family::kV4) return fmt::format("{}:{}", ToString(), port);
  return fmt::format("[{}]:{}", ToString(), port);
}

IpRange::IpRange(const IpAddress& address, int prefix)
    : address_(address), mask_(MaskOf(address, prefix)) {}

std::optional<IpRange> IpRange::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address.has_value()) return std::nullopt;
  if (slash == std::string_view::npos) return IpRange(*address, address->bits());
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, prefix);
  if (error != std::errc() || stop != end || prefix > static_cast<unsigned>(address->bits())) {
    return std::nullopt;
  }
  return IpRange(*address, static_cast<int>(prefix));
}

bool IpRange::Contains(const IpAddress& address) const {
  if (address.family() != address_.family()) return false;
  for (size_t i = 0; i < address.bytes().size(); ++i) {
    if (((address.bytes()[i] ^ address_.bytes()[i]) & mask_.bytes()[i]) != 0) return false;
  }
  return true;
}

}  // namespace pgweir
