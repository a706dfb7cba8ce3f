#include "pooler/server_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace pgweir::pooler {
namespace {

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

Status SystemError(int error) {
  return Error(sqlstate::kCannotConnect, std::generic_category().message(error));
}

StatusOr<ServerAddress> UnixAddress(const ServerHost& host) {
  ServerAddress result;
  auto* address = reinterpret_cast<sockaddr_un*>(&result.address);
  const std::string path = fmt::format("{}/.s.PGSQL.{}", host.name, host.port);
  result.text = fmt::format("socket \"{}\"", path);
  if (path.size() >= sizeof address->sun_path) {
    return Errorf(sqlstate::kCannotConnect, "{}: the path is too long", result.text);
  }
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.data(), path.size());
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  if (path.starts_with('@')) {  // abstract: a zero byte in front and none behind
    address->sun_path[0] = '\0';
    --result.length;
  }
  return result;
}

void SetTcpOptions(int fd, const ConnectionSettings& settings) {
  const auto set = [fd](int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  if (settings.tcp_user_timeout_ms > 0) {
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, settings.tcp_user_timeout_ms);
  }
  if (!settings.keepalives) return;
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  if (settings.keepalives_idle > 0) set(IPPROTO_TCP, TCP_KEEPIDLE, settings.keepalives_idle);
  if (settings.keepalives_interval > 0) {
    set(IPPROTO_TCP, TCP_KEEPINTVL, settings.keepalives_interval);
  }
  if (settings.keepalives_count > 0) set(IPPROTO_TCP, TCP_KEEPCNT, settings.keepalives_count);
}

}  // namespace

StatusOr<std::vector<ServerAddress>> Resolve(const ServerHost& host) {
  if (host.unix_socket) {
    auto address = UnixAddress(host);
    if (!address.ok()) return address.status();
    return std::vector<ServerAddress>{*std::move(address)};
  }
  const std::string& node = host.address.empty() ? host.name : host.address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = host.address.empty() ? 0 : AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(node.c_str(), host.port.c_str(), &hints, &found); error != 0) {
    return Errorf(sqlstate::kCannotConnect, "could not look up \"{}\": {}", node,
                  gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, AddressesDeleter> owner(found);
  std::vector<ServerAddress> addresses;
  for (; found != nullptr; found = found->ai_next) {
    ServerAddress& address = addresses.emplace_back();
    std::memcpy(&address.address, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    char number[NI_MAXHOST] = "?";
    getnameinfo(found->ai_addr, found->ai_addrlen, number, sizeof number, nullptr, 0,
                NI_NUMERICHOST);
    address.text = node == number ? fmt::format("\"{}\", port {}", node, host.port)
                                  : fmt::format("\"{}\" ({}), port {}", node, number, host.port);
  }
  return addresses;
}

StatusOr<int> StartConnecting(const ServerAddress& address, const ConnectionSettings& settings) {
  const int family = address.address.ss_family;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError(errno);
  if (family != AF_UNIX) SetTcpOptions(fd, settings);
  const auto* where = reinterpret_cast<const sockaddr*>(&address.address);
  if (connect(fd, where, address.length) == 0 || errno == EINPROGRESS) return fd;
  const Status failure = SystemError(errno);
  close(fd);
  return failure;
}

Status ConnectOutcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? absl::OkStatus() : SystemError(error);
}

}  // namespace pgweir::pooler
