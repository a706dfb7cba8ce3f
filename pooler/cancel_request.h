#pragma once

#include <memory>
#include <string>

#include "pooler/own_stream.h"
#include "pooler/server_connection.h"

namespace pgweir::pooler {

// Connects, sends the CancelRequest packet, and reads to the end, which tells that it has been
// dealt with. Everything referred to outlives the task.
net::Task<Status> SendCancelRequest(const Server& server, const ConnectionSettings& settings,
                                    Encryption encryption, const std::string& request,
                                    Readiness& readiness, TimePoint until);

// A cancel request for whoever listens there, on TCP or, where `host` is a folder, on the unix
// socket in it. Unencrypted, as libpq's are.
std::shared_ptr<const ServerCancel> MakeCancel(std::string host, int port, std::string request);

}  // namespace pgweir::pooler
