#pragma once

#include <optional>
#include <string>

#include "net/task.h"
#include "proxy/client.h"
#include "wire/startup.h"

namespace pgweir::proxy {

// What a client's login has shown, for logging in to servers in its name. Each part is empty where
// the method shows nothing of it.
struct Proof {
  std::string client_key;  // SCRAM's, raw; the two that log in where the same verifier is stored
  std::string server_key;
  std::string password;  // in clear
  // What the users file, or auth.query, has of the user.
  std::optional<std::string> secret;
};

// Finds out whether the client is the user that it says it is, by the method that the configuration
// asks for of such a client. Unknown users go through the same exchange as known ones.
// AuthenticationOk is not sent yet. An error is what the client is told; absl::Cancelled when it
// went away. The references live until the task is done.
net::Task<StatusOr<Proof>> Authenticate(Client& client, SessionHost& host, const Snapshot& snapshot,
                                        const wire::StartupMessage& startup);

}  // namespace pgweir::proxy
