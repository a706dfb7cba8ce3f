#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "base/ids.h"
#include "base/mutex.h"

namespace pgweir::proxy {

// The cancel keys that clients got at their login: pgweir's own, from a CSPRNG, never a server's.
// Found by their process id, the secret compared in constant time. Thread-safe.
//
// Where this process has a peer_id, keys have PgBouncer's form, so that processes of both kinds may
// be peers: the id in the second and third byte of the eight, low byte first, and in the last two
// bits how often a request may still be passed on, so that none goes round for ever.
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
  // A request for a client of another process.
  struct Foreign {
    int peer_id = 0;
    Key key;  // as it is passed on
  };

  // 0 = this process has no peers.
  explicit CancelKeys(int peer_id = 0) : peer_id_(peer_id) {}

  Key Issue(Owner owner);
  void Withdraw(const Key& key);
  std::optional<Owner> Find(uint32_t process_id, std::string_view secret) const;
  // None where the key is one of this process, or has been passed on often enough.
  std::optional<Foreign> FindForeign(uint32_t process_id, std::string_view secret) const;

 private:
  using Secret = std::array<char, 4>;
  struct Entry {
    Secret secret;
    Owner owner;
  };
  bool Same(const Secret& ours, std::string_view theirs) const;

  const int peer_id_;
  mutable Mutex mutex_;
  // Several where a peer_id leaves too few bits for one each.
  absl::flat_hash_map<uint32_t, absl::InlinedVector<Entry, 1>> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pgweir::proxy
