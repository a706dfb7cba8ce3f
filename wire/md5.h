#pragma once

#include <string>
#include <string_view>

namespace pgweir::wire {

// "md5" + hex(md5(password + user)): what pg_authid keeps.
std::string Md5Secret(std::string_view password, std::string_view user);

// What a client answers to AuthenticationMD5Password: "md5" + hex(md5(hex part of secret + salt)).
std::string Md5Response(std::string_view md5_secret, std::string_view salt4);

}  // namespace pgweir::wire
