#pragma once

#include <array>
#include <string_view>

namespace pgweir::config {

// As syslog.conf(5) names them.
inline constexpr std::array<std::string_view, 12> kSyslogFacilities = {
    "auth",   "authpriv", "daemon", "user",   "local0", "local1",
    "local2", "local3",   "local4", "local5", "local6", "local7"};

}  // namespace pgweir::config
