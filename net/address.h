#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

namespace pgweir::net {

// The address and port of a socket's own end; "" for both where it has none, as a unix socket.
std::pair<std::string, std::string> LocalAddress(int fd);

// Those of its other end. Over a unix socket the address is "unix" and the port that of the
// server's socket file.
std::pair<std::string, std::string> RemoteAddress(int fd);

// Who is at the other end of a unix socket; none for other sockets.
struct PeerProcess {
  pid_t pid = 0;
  uid_t uid = 0;
};
std::optional<PeerProcess> PeerOf(int fd);

// A user's name in the operating system's list; none when it has none. Asks the list, which may
// take a file or more.
std::optional<std::string> UserName(uid_t uid);

}  // namespace pgweir::net
