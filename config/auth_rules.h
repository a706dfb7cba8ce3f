#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace pgweir::config {

// What is asked where secrets are to be asked for and no query is given. The server's catalog is
// named, so that no other is found first.
inline constexpr std::string_view kDefaultAuthQuery =
    "SELECT usename, passwd, valuntil FROM pg_catalog.pg_shadow WHERE usename=$1";

// How a kind of configuration file names what the checks speak of.
struct AuthWords {
  std::string_view tls;         // what makes clients show certificates
  std::string_view hba_method;  // that rules decide
  std::string_view ident_file;
};

struct AuthFault {
  enum class Key { kMethod, kHbaFile, kIdentFile, kIdentMap, kOtherFile };
  Key key;  // kOtherFile: the message has its place already
  std::string message;
};

// What is wrong with the rules and maps that `auth` names, and with what it asks of certificates.
std::vector<AuthFault> CheckAuthRules(const Auth& auth, const Listen& listen,
                                      const AuthWords& words);

}  // namespace pgweir::config
