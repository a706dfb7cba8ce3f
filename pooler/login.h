#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/task.h"
#include "pooler/readiness.h"
#include "pooler/server_connection.h"
#include "pooler/target.h"

namespace pgweir::pooler {

// Opens a connection: through libpq, or by a start-up of our own where all that is known of the
// password is a hash.
net::Task<StatusOr<ServerConnection>> LogIn(const Target& target, Readiness& readiness);

// The same on a thread that may wait.
StatusOr<ServerConnection> LogInAndWait(const Target& target, Duration timeout);

// The rows of all results of a query, in order, "" for NULL.
using QueryRows = std::vector<std::vector<std::string>>;

// Runs one simple query on a connection that nobody else uses. After an error that is not the
// server's own the connection is of no use.
net::Task<StatusOr<QueryRows>> RunQuery(const ServerConnection& connection, std::string_view sql,
                                        Readiness& readiness);

// The same on a thread that may wait.
StatusOr<QueryRows> QueryAndWait(const ServerConnection& connection, std::string_view sql,
                                 Duration timeout);

}  // namespace pgweir::pooler
