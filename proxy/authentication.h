#pragma once

#include <string>

#include "net/task.h"
#include "proxy/client.h"

namespace pgweir::proxy {

// What a client's login has shown, for logging in to servers in its name. Each part is empty where
// the method shows nothing of it.
struct Proof {
  std::string client_key;  // SCRAM's, raw; the two that log in where the same verifier is stored
  std::string server_key;
  std::string password;  // in clear
};

// Finds out whether the client is `user`, by the method that the configuration asks for. Unknown
// users go through the same exchange as known ones. AuthenticationOk is not sent yet. An error is
// what the client is told; absl::Cancelled when it went away.
net::Task<StatusOr<Proof>> Authenticate(Client& client, const Snapshot& snapshot, std::string user);

}  // namespace pgweir::proxy
