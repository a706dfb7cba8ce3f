#include "net/address.h"

#include <netdb.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <string_view>
#include <vector>

namespace pgweir::net {
namespace {

std::pair<std::string, std::string> InNumbers(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return {host.data(), port.data()};
}

}  // namespace

std::pair<std::string, std::string> LocalAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(fd, address, &length) != 0 || storage.ss_family == AF_UNIX) return {};
  return InNumbers(address, length);
}

std::pair<std::string, std::string> RemoteAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(fd, address, &length) != 0) return {};
  if (storage.ss_family != AF_UNIX) return InNumbers(address, length);
  const std::string_view path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
  return {"unix", std::string(path.substr(path.rfind('.') + 1))};
}

std::optional<PeerProcess> PeerOf(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX) {
    return std::nullopt;
  }
  ucred peer{};
  length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  return PeerProcess{.pid = peer.pid, .uid = peer.uid};
}

std::optional<std::string> UserName(uid_t uid) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0) return std::nullopt;
  return found == nullptr ? std::nullopt : std::optional<std::string>(found->pw_name);
}

}  // namespace pgweir::net
