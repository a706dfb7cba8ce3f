#pragma once

#include <memory>
#include <string>
#include <variant>

#include "wire/scram.h"

namespace pgweir::wire {

// A password of which only PostgreSQL's md5 secret is known, "md5" and 32 digits: it logs in where
// the server asks for md5.
struct Md5Login {
  std::string secret;
  bool operator==(const Md5Login&) const = default;
};

// A password of which only a SCRAM verifier is known, and the ClientKey that a client has proved:
// both together log in wherever the very same verifier is stored, and nowhere else. Wiped when
// nobody needs it any more.
class ScramLogin {
 public:
  ScramLogin(ScramVerifier verifier, const ScramKey& client_key);
  ~ScramLogin();
  ScramLogin(const ScramLogin&) = delete;
  ScramLogin& operator=(const ScramLogin&) = delete;

  const ScramVerifier& verifier() const { return verifier_; }
  const ScramKey& client_key() const { return client_key_; }

 private:
  const ScramVerifier verifier_;
  ScramKey client_key_;
};
using ScramLoginRef = std::shared_ptr<const ScramLogin>;

// A null ScramLoginRef: the keys are not known.
using HashedLogin = std::variant<Md5Login, ScramLoginRef>;

}  // namespace pgweir::wire
