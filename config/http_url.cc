#include "config/http_url.h"

#include <algorithm>
#include <charconv>

#include "base/ip_address.h"
#include "fmt/format.h"

namespace pgweir::config {
namespace {

constexpr std::string_view kScheme = "http://";

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// Visible ASCII, without what begins a fragment.
bool IsTargetCharacter(char c) { return c > ' ' && c < '\x7f' && c != '#'; }

}  // namespace

std::optional<HttpUrl> HttpUrl::Parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const size_t end = std::min(text.find('/'), text.size());
  const std::string_view authority = text.substr(0, end);
  const size_t colon = authority.rfind(':');
  if (colon == authority.npos) return std::nullopt;
  HttpUrl url;
  url.host = authority.substr(0, colon);
  url.target = text.substr(end);
  const std::string_view port = authority.substr(colon + 1);
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || stop != port.data() + port.size() || url.port == 0) {
    return std::nullopt;
  }
  if (url.host.starts_with('[') && url.host.ends_with(']')) {
    url.host = url.host.substr(1, url.host.size() - 2);
    const auto address = IpAddress::Parse(url.host);
    if (!address.has_value() || url.host.find(':') == url.host.npos) return std::nullopt;
  } else if (url.host.empty() || !std::all_of(url.host.begin(), url.host.end(), IsHostCharacter)) {
    return std::nullopt;
  }
  if (!std::all_of(url.target.begin(), url.target.end(), IsTargetCharacter)) return std::nullopt;
  return url;
}

std::string HttpUrl::Authority() const {
  const bool v6 = host.find(':') != host.npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace pgweir::config
