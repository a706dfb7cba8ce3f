#pragma once

#include <string_view>

#include "proxy/node_catalog.h"
#include "proxy/request_contents.h"
#include "proxy/worker_tools.h"

namespace pgweir::proxy {

// What a request that begins a client's use of a backend says about which server of its node that
// may be.
struct RequestRoute {
  enum class Role : uint8_t {
    kPrimary,
    kAnyCopy,  // nothing but reads, now and until the backend is given back
  };
  Role role = Role::kPrimary;
  std::string_view why;
};

RequestRoute RouteOf(const RequestContents& request, const wire::Parameters& settings,
                     NodeCatalog& catalog, WorkerTools& tools);

}  // namespace pgweir::proxy
