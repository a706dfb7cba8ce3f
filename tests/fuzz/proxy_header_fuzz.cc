#include "base/check.h"
#include "wire/proxy_header.h"

// Whatever a balancer sends first: reading ends in a header within the bytes at hand, in "not there
// whole", or in an error, and more bytes behind a header change nothing.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir::wire;
  const Bytes in = std::as_bytes(std::span(data, size));
  const auto header = ReadProxyHeader(in);
  if (!header.ok() || header->size == 0) return 0;
  PGWEIR_CHECK(header->size <= in.size() && header->size <= kMaxProxyHeader);
  PGWEIR_CHECK(BeginsProxyHeader(in[0]));
  const auto alone = ReadProxyHeader(in.first(header->size));
  PGWEIR_CHECK(alone.ok() && alone->size == header->size);
  PGWEIR_CHECK(alone->source.has_value() == header->source.has_value());
  return 0;
}
