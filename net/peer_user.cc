#include "net/peer_user.h"

#include <pwd.h>
#include <sys/socket.h>

#include <vector>

namespace pgweir::net {

std::optional<uid_t> PeerUid(int fd) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
  // What a socket of another family gives.
  if (length != sizeof credentials || credentials.uid == static_cast<uid_t>(-1)) {
    return std::nullopt;
  }
  return credentials.uid;
}

std::optional<std::string> UserName(uid_t uid) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0) return std::nullopt;
  return found == nullptr ? std::nullopt : std::optional<std::string>(found->pw_name);
}

}  // namespace pgweir::net
