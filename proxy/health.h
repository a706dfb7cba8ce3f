#pragma once

#include "proxy/host.h"
#include "proxy/http_server.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// What balancers and orchestrators ask, as JSON. Any thread.

// The process answers; nothing more.
HttpAnswer Health();
// 503 while it drains, or while a node has no usable primary: new clients should go elsewhere.
HttpAnswer Ready(const Shared& shared);
// The nodes; 503 while one has no usable primary.
HttpAnswer DatabaseHealth(const Shared& shared);
// All of it, for people. Always 200.
HttpAnswer DetailedHealth(const Shared& shared, const Snapshot& snapshot);

}  // namespace pgweir::proxy
