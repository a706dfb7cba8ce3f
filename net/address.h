#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

namespace pgweir::net {

// The address and port of a socket's own end; "" for both where it has none, as a unix socket.
std::pair<std::string, std::string> LocalAddress(int fd);

// Who is at the other end of a unix socket; none for other sockets.
struct PeerProcess {
  pid_t pid = 0;
  uid_t uid = 0;
};
std::optional<PeerProcess> PeerOf(int fd);

}  // namespace pgweir::net
