#include "proxy/cancel_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"

namespace pgweir::proxy {
namespace {

constexpr char kHops = 0x03;  // in a key's last byte
// Positive, as some drivers keep it in a signed integer.
constexpr uint32_t kProcessIdBits = 0x7fffffff;
constexpr uint32_t kPeerBits = 0x00ffff00;

template <typename T>
T RandomValue() {
  T value;
  PGWEIR_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1);
  return value;
}

uint32_t WithPeer(uint32_t process_id, int peer_id) {
  const auto id = static_cast<uint32_t>(peer_id);
  return (process_id & ~kPeerBits) | ((id & 0xff) << 16) | (id & 0xff00);
}

int PeerOf(uint32_t process_id) {
  return static_cast<int>(((process_id >> 16) & 0xff) | (process_id & 0xff00));
}

}  // namespace

CancelKeys::Key CancelKeys::Issue(Owner owner) {
  while (true) {
    Entry entry{RandomValue<Secret>(), owner};
    uint32_t process_id = RandomValue<uint32_t>() & kProcessIdBits;
    if (peer_id_ != 0) {
      process_id = WithPeer(process_id, peer_id_);
      entry.secret.back() = static_cast<char>(entry.secret.back() | kHops);
    }
    const std::string_view secret(entry.secret.data(), entry.secret.size());
    MutexLock lock(mutex_);
    auto& same_id = keys_[process_id];
    const bool fits =
        process_id != 0 && (peer_id_ == 0 ? same_id.empty()
                                          : std::none_of(same_id.begin(), same_id.end(),
                                                         [this, secret](const Entry& other) {
                                                           return Same(other.secret, secret);
                                                         }));
    if (!fits) continue;
    same_id.push_back(entry);
    return {process_id, std::string(secret)};
  }
}

void CancelKeys::Withdraw(const Key& key) {
  MutexLock lock(mutex_);
  const auto it = keys_.find(key.process_id);
  if (it == keys_.end()) return;
  auto& same_id = it->second;
  same_id.erase(std::remove_if(same_id.begin(), same_id.end(),
                               [&](const Entry& entry) { return Same(entry.secret, key.secret); }),
                same_id.end());
  if (same_id.empty()) keys_.erase(it);
}

std::optional<CancelKeys::Owner> CancelKeys::Find(uint32_t process_id,
                                                  std::string_view secret) const {
  MutexLock lock(mutex_);
  const auto it = keys_.find(process_id);
  if (it == keys_.end()) return std::nullopt;
  for (const Entry& entry : it->second) {
    if (Same(entry.secret, secret)) return entry.owner;
  }
  return std::nullopt;
}

std::optional<CancelKeys::Foreign> CancelKeys::FindForeign(uint32_t process_id,
                                                           std::string_view secret) const {
  const int peer_id = PeerOf(process_id);
  if (peer_id_ == 0 || peer_id == peer_id_ || secret.size() != Secret().size()) return std::nullopt;
  if ((secret.back() & kHops) == 0) return std::nullopt;
  Foreign foreign{.peer_id = peer_id, .key = {process_id, std::string(secret)}};
  --foreign.key.secret.back();
  return foreign;
}

bool CancelKeys::Same(const Secret& ours, std::string_view theirs) const {
  if (theirs.size() != ours.size()) return false;
  Secret given;
  std::copy(theirs.begin(), theirs.end(), given.begin());
  // It may have been passed on to get here.
  if (peer_id_ != 0) given.back() = static_cast<char>(given.back() | kHops);
  return CRYPTO_memcmp(given.data(), ours.data(), ours.size()) == 0;
}

}  // namespace pgweir::proxy
