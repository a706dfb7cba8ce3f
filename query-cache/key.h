#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// What identifies an answer. Two requests have the same key only if the same server may give both
// the same bytes; whatever is not known to be the same is another key.

namespace pgweir::cache {

enum class Protocol : uint8_t { kSimple, kExtended };

// Views of the caller's, needed during Make() only. Whoever can't tell one of them asks no cache.
struct KeyParts {
  // The node, or in their fixed order all of those whose answers are merged into one.
  std::span<const std::string_view> nodes;
  std::string_view database;        // as clients ask for it
  std::string_view login_role;      // session_user
  std::string_view effective_role;  // current_user
  std::string_view search_path;     // the effective value
  // Every other setting that may change the answer, in a form in which equal bytes mean equal
  // settings.
  std::string_view settings;
  Protocol protocol = Protocol::kSimple;
  std::string_view text;
  // How a Parse goes on behind its text: a count, and the OIDs of the parameters' types.
  std::string_view parameter_types;
  // How a Bind goes on behind its names: counted formats of the parameters, their counted values,
  // each with its length (-1 is NULL), counted formats of the results.
  std::string_view bind;
};

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

struct Key {
  std::string_view bytes;  // compared whole: the hash only finds
  Hash128 hash;
};

// 128 bits of key for SipHash.
using HashSecret = std::array<uint8_t, 16>;

// The process's own, drawn at the first call: nobody outside can look for keys that collide.
const HashSecret& ProcessHashSecret();

// Makes keys. For one thread; the same parts give the same key on every thread of the process.
class KeyMaker {
 public:
  explicit KeyMaker(const HashSecret& secret = ProcessHashSecret());
  ~KeyMaker();
  KeyMaker(KeyMaker&&) noexcept;
  KeyMaker& operator=(KeyMaker&&) noexcept;

  // Valid until the next call.
  Key Make(const KeyParts& parts);

  // SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, INDOCRYPT 2012), by OpenSSL: a
  // pseudo-random function, fast on short input.
  Hash128 Hash(std::string_view bytes);

 private:
  struct Mac;

  HashSecret secret_;
  std::unique_ptr<Mac> mac_;
  std::string bytes_;
};

}  // namespace pgweir::cache
