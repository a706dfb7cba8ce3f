#include "pooler/login_keys.h"

#include "wire/hash.h"

namespace pgweir::pooler {

void LoginKeys::Remember(const std::string& user, const std::string& secret,
                         const wire::ScramKey& client_key) {
  const auto verifier = wire::ParseScramVerifier(secret);
  if (!verifier.ok() || wire::Sha256(wire::AsText(client_key)) != verifier->stored_key) return;
  MutexLock lock(mutex_);
  Entry& entry = entries_[user];
  if (entry.login != nullptr && entry.secret == secret) return;
  entry = {secret, std::make_shared<wire::ScramLogin>(*verifier, client_key)};
}

void LoginKeys::RememberPassword(const std::string& user, const std::string& secret,
                                 std::string_view password) {
  const auto verifier = wire::ParseScramVerifier(secret);
  if (!verifier.ok() || Find(user, secret) != nullptr) return;
  Remember(user, secret, wire::MakeScramClientKey(password, verifier->salt, verifier->iterations));
}

wire::ScramLoginRef LoginKeys::Find(const std::string& user, const std::string& secret) const {
  MutexLock lock(mutex_);
  const auto it = entries_.find(user);
  return it != entries_.end() && it->second.secret == secret ? it->second.login : nullptr;
}

bool LoginKeys::Keeps(const std::string& user, const wire::ScramLoginRef& login) const {
  MutexLock lock(mutex_);
  const auto it = entries_.find(user);
  return it != entries_.end() && it->second.login == login;
}

void LoginKeys::ForgetUnless(
    absl::FunctionRef<bool(const std::string&, const std::string&)> keeps) {
  MutexLock lock(mutex_);
  std::erase_if(entries_,
                [&](const auto& entry) { return !keeps(entry.first, entry.second.secret); });
}

}  // namespace pgweir::pooler
