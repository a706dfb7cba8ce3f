#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/mutex.h"

namespace pgweir::proxy {

// The cancel keys that clients got at their login: pgweir's own, from a CSPRNG, never a server's.
// Found by their process id in O(1), the secret compared in constant time. Thread-safe.
class CancelKeys {
 public:
  struct Owner {
    int worker = 0;  // index of the worker that serves the session
    SessionId session;
  };
  struct Key {
    uint32_t process_id = 0;
    std::string secret;  // 4 bytes
  };

  Key Issue(Owner owner);
  void Withdraw(uint32_t process_id);
  std::optional<Owner> Find(uint32_t process_id, std::string_view secret) const;

 private:
  struct Entry {
    std::array<char, 4> secret;
    Owner owner;
  };
  mutable Mutex mutex_;
  absl::flat_hash_map<uint32_t, Entry> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
