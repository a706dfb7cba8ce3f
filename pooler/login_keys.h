#pragma once

#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "wire/hashed_login.h"

namespace pgweir::pooler {

// The SCRAM keys of users that have logged in, for logging in to servers as them. Kept in memory
// only, and shown to nobody. Thread-safe.
class LoginKeys {
 public:
  // `secret` is the user's verifier, `client_key` what it has proved to have. Keys that don't
  // belong together are not kept.
  void Remember(const std::string& user, const std::string& secret,
                const wire::ScramKey& client_key);

  // The same by the password itself, which a client has shown to be right.
  void RememberPassword(const std::string& user, const std::string& secret,
                        std::string_view password);

  // Null when nobody has logged in as this user with this secret. As long as there is no other
  // secret it is the same object.
  wire::ScramLoginRef Find(const std::string& user, const std::string& secret) const;

  // Whether Find still gives this for the user.
  bool Keeps(const std::string& user, const wire::ScramLoginRef& login) const;

  // Forgets the users of whom `keeps`, given name and secret, is false.
  void ForgetUnless(absl::FunctionRef<bool(const std::string&, const std::string&)> keeps);

 private:
  struct Entry {
    std::string secret;
    wire::ScramLoginRef login;
  };
  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::pooler
