#include "proxy/own_addresses.h"

#include <ifaddrs.h>

#include <memory>

namespace pgweir::proxy {

config::OwnAddresses FindOwnAddresses() {
  config::OwnAddresses own;
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return own;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(found, freeifaddrs);
  for (const ifaddrs* entry = found; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr) continue;
    const auto address = IpAddress::FromSockaddr(entry->ifa_addr);
    const auto mask = IpAddress::FromSockaddr(entry->ifa_netmask);
    if (!address.has_value() || !mask.has_value()) continue;
    own.hosts.emplace_back(*address, address->bits());
    own.networks.emplace_back(*address, *mask);
  }
  return own;
}

}  // namespace pgweir::proxy
