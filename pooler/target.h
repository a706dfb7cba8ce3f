#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pooler/server_watch.h"
#include "wire/hashed_login.h"

namespace pgweir::pooler {

// What a login to a server takes.
struct Target {
  std::string connection_string;  // libpq's, key=value or URI
  std::string database;           // overrides the string's; "" = as the string says
  std::string user;               // likewise
  std::string password;           // likewise
  // Further libpq keywords, such as replication.
  std::vector<std::pair<std::string, std::string>> keywords;
  // What is known in place of a password. libpq can't log in with it: pgweir does so itself.
  std::optional<wire::HashedLogin> hashed;
  std::string node;  // for messages
  // Who is interested in how the server does; null = nobody, or which one it is is not known.
  std::shared_ptr<ServerWatch> watch;
  bool operator==(const Target&) const = default;

  // Whether a login may be tried: a hash alone without its keys does not do.
  bool complete() const {
    const auto* scram = hashed ? std::get_if<wire::ScramLoginRef>(&*hashed) : nullptr;
    return scram == nullptr || *scram != nullptr;
  }
};

}  // namespace pgweir::pooler
