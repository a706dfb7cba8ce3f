#pragma once

#include "net/task.h"
#include "pooler/readiness.h"
#include "pooler/server_connection.h"
#include "pooler/target.h"

namespace pgweir::pooler {

// Opens a connection through libpq, which then keeps the socket and its TLS session while we read
// and write them. So every way of logging in that libpq knows works. An error carries the server's
// own SQLSTATE and text, or 08001.
net::Task<StatusOr<ServerConnection>> LogInByLibpq(const Target& target, Readiness& readiness);

}  // namespace pgweir::pooler
