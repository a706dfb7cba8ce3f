#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::config {

// Where something is sent by HTTP: http://HOST:PORT, with or without a path behind it.
struct HttpUrl {
  std::string host;  // a name or an address, that of IPv6 without its brackets
  uint16_t port = 0;
  std::string target;  // "/path?query"; "" = none was given

  // None when `text` isn't such a URL. A user and password are not taken.
  static std::optional<HttpUrl> Parse(std::string_view text);
  // "host:port", as the header Host has it.
  std::string Authority() const;
  bool operator==(const HttpUrl&) const = default;
};

}  // namespace pgweir::config
