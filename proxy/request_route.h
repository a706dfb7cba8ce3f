#pragma once

#include <string_view>

#include "proxy/node_catalog.h"
#include "proxy/session_state.h"
#include "proxy/worker_tools.h"
#include "wire/parameters.h"
#include "wire/protocol.h"

namespace pgweir::proxy {

// What a request that begins a client's use of a backend says about which backend that may be.
struct RequestRoute {
  enum class Role : uint8_t {
    kPrimary,
    kAnyCopy,  // nothing but reads, now and until the backend is given back
  };
  Role role = Role::kPrimary;
  std::string_view why;
};

// What the route depends on, besides the request.
struct RouteContext {
  const SessionState& state;
  const wire::Parameters& settings;
  NodeCatalog& catalog;
  WorkerTools& tools;
};

// `request` is what RequestReader gives: from a message's beginning, perhaps with a part missing at
// its end. Such a one may be anything.
RequestRoute RouteOf(wire::Bytes request, const RouteContext& context);

}  // namespace pgweir::proxy
