#include "wire/hashed_login.h"

#include <openssl/crypto.h>

namespace pgweir::wire {

ScramLogin::ScramLogin(ScramVerifier verifier, const ScramKey& client_key)
    : verifier_(std::move(verifier)), client_key_(client_key) {}

ScramLogin::~ScramLogin() { OPENSSL_cleanse(client_key_.data(), client_key_.size()); }

}  // namespace pgweir::wire
