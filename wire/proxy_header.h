#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ip_address.h"
#include "base/status.h"
#include "wire/protocol.h"

// The PROXY protocol, versions 1 and 2: what a balancer puts before the first byte of a connection
// that it passes on, to say whose it is.

namespace pgweir::wire {

struct ProxyHeader {
  struct Source {
    IpAddress address;
    uint16_t port = 0;
  };
  size_t size = 0;  // in bytes
  // Who has connected to the balancer; none when the connection is its own, such as a health check,
  // or of a kind that has no address.
  std::optional<Source> source;
};

// A longer header is refused; one with a client certificate's details has some hundred bytes.
inline constexpr size_t kMaxProxyHeader = 4096;

// Whether a connection that begins with this byte begins with a header. No start-up packet, and no
// TLS handshake, does.
bool BeginsProxyHeader(std::byte first);

// The header at the front of `in`; a size of 0 while it is not there whole. An error (08P01) when
// it is malformed, or its checksum is wrong.
StatusOr<ProxyHeader> ReadProxyHeader(Bytes in);

}  // namespace pgweir::wire
