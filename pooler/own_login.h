#pragma once

#include "net/task.h"
#include "pooler/readiness.h"
#include "pooler/server_connection.h"
#include "pooler/target.h"

namespace pgweir::pooler {

// Opens a connection by Target::hashed, which libpq can't: by a start-up of our own, with the
// connection string's host list, TLS and options as libpq would. An error carries the server's own
// SQLSTATE and text, 28000 or 28P01 where the hash does not do, or 08001.
net::Task<StatusOr<ServerConnection>> LogInByHash(const Target& target, Readiness& readiness);

}  // namespace pgweir::pooler
