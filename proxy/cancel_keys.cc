#include "proxy/cancel_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace pgweir::proxy {
namespace {

template <typename T>
T RandomValue() {
  T value;
  PGWEIR_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1);
  return value;
}

}  // namespace

CancelKeys::Key CancelKeys::Issue(Owner owner) {
  const Entry entry{RandomValue<std::array<char, 4>>(), owner};
  MutexLock lock(mutex_);
  while (true) {
    // Positive, as some drivers keep it in a signed integer.
    const uint32_t process_id = RandomValue<uint32_t>() & 0x7fffffff;
    if (process_id == 0 || !keys_.emplace(process_id, entry).second) continue;
    return {process_id, std::string(entry.secret.data(), entry.secret.size())};
  }
}

void CancelKeys::Withdraw(uint32_t process_id) {
  MutexLock lock(mutex_);
  keys_.erase(process_id);
}

std::optional<CancelKeys::Owner> CancelKeys::Find(uint32_t process_id,
                                                  std::string_view secret) const {
  MutexLock lock(mutex_);
  const auto it = keys_.find(process_id);
  if (it == keys_.end() || secret.size() != it->second.secret.size()) return std::nullopt;
  if (CRYPTO_memcmp(secret.data(), it->second.secret.data(), secret.size()) != 0) {
    return std::nullopt;
  }
  return it->second.owner;
}

}  // namespace pgweir::proxy
