#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "pooler/conninfo.h"

namespace pgweir::pooler {

// Where one server listens.
struct ServerAddress {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string text;  // for messages: "10.0.0.1", port 5432
};

// The addresses of a host, looked up if it has a name: this may ask the resolver and so block.
StatusOr<std::vector<ServerAddress>> Resolve(const ServerHost& host);

// A non-blocking socket that is on its way to the address, with the settings' options for TCP.
StatusOr<int> StartConnecting(const ServerAddress& address, const ConnectionSettings& settings);

// 08001 with the system's reason when it did not get there. Once the socket may be written.
Status ConnectOutcome(int fd);

}  // namespace pgweir::pooler
