#pragma once

#include <string_view>

namespace pgweir::proxy {

// Tells the service manager about the process's state (sd_notify(3)), e.g. "READY=1". False when
// there is none to tell: NOTIFY_SOCKET is not set or does not listen.
bool NotifyServiceManager(std::string_view state);

}  // namespace pgweir::proxy
