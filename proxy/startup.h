#pragma once

#include <optional>

#include "net/task.h"
#include "proxy/client.h"
#include "wire/startup.h"

namespace pgweir::proxy {

// From the first byte of a connection to its start-up message: encryption is negotiated on the way.
// None when the connection is over: it was a cancel request (which has been carried out), or the
// peer broke the protocol (which has been told), or went away. The event's deadline bounds it all.
net::Task<std::optional<wire::StartupMessage>> NegotiateStartup(Client& client, SessionHost& host);

}  // namespace pgweir::proxy
