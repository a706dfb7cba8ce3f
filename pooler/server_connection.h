#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/status.h"
#include "wire/parameters.h"

namespace pgweir::pooler {

// Asks a server to cancel what one of its connections runs. Usable from any thread, and after the
// connection's end.
class ServerCancel {
 public:
  virtual ~ServerCancel() = default;
  // Blocks until the server has dealt with the request, as the closed connection tells.
  virtual Status Send() const = 0;
};

// A connection to a server that is logged in, whoever opened it.
struct ServerConnection {
  // Keeps the socket and its TLS session, and ends the connection when it goes; never waits.
  class Owner {
   public:
    virtual ~Owner() = default;
  };
  std::unique_ptr<Owner> owner;
  int fd = -1;         // non-blocking
  SSL* ssl = nullptr;  // null without TLS
  int process_id = 0;
  wire::ParametersRef parameters;
  std::shared_ptr<const ServerCancel> cancel;
};

}  // namespace pgweir::pooler
