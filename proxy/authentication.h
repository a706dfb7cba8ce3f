#pragma once

#include <string>

#include "net/task.h"
#include "proxy/client.h"

namespace pgweir::proxy {

// Finds out whether the client is `user`, by the method that the configuration asks for. Unknown
// users go through the same exchange as known ones. AuthenticationOk is not sent yet. An error is
// what the client is told; absl::Cancelled when it went away.
net::Task<Status> Authenticate(Client& client, const Snapshot& snapshot, std::string user);

}  // namespace pgweir::proxy
