#pragma once

#include <memory>

#include "net/stream.h"
#include "net/task.h"
#include "pooler/conninfo.h"
#include "pooler/readiness.h"
#include "pooler/server_address.h"

namespace pgweir::pooler {

// One server to connect to. Both parts outlive what is done with it.
struct Server {
  const ServerHost& host;
  const ServerAddress& address;
};

enum class Encryption { kNever, kIfOffered, kAlways };

// A stream to the server up to where a start-up packet comes next: connected, and under TLS, with
// the server's certificate verified as the settings ask. `handshake` tells whether TLS was begun,
// also where it failed.
net::Task<StatusOr<std::unique_ptr<net::Stream>>> OpenStream(const Server& server,
                                                             const ConnectionSettings& settings,
                                                             Encryption encryption,
                                                             Readiness& readiness, TimePoint until,
                                                             bool& handshake);

}  // namespace pgweir::pooler
