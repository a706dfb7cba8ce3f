#pragma once

#include <memory>

#include "net/stream.h"
#include "pooler/own_stream.h"
#include "pooler/server_connection.h"
#include "wire/server_login.h"

namespace pgweir::pooler {

// A stream whose login is done, as a connection with a cancel of its own: that goes to the same
// server, under TLS where the connection is, and takes five seconds at most.
ServerConnection OwnConnection(std::unique_ptr<net::Stream> stream,
                               std::shared_ptr<const ConnectionSettings> settings,
                               const Server& server, const wire::ServerLogin& login);

}  // namespace pgweir::pooler
