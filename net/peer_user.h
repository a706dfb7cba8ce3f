#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pgweir::net {

// Who is at the other end of a unix socket, as the kernel knows it: the user that connected it.
std::optional<uid_t> PeerUid(int fd);

// The user's name in the operating system's list; none when it has none. Asks the list, which may
// take a file or more.
std::optional<std::string> UserName(uid_t uid);

}  // namespace pgweir::net
