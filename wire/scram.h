#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it. Pure: bytes in,
// bytes out.

namespace pgweir::wire {

using ScramKey = std::array<unsigned char, 32>;

// What a server keeps of a password: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>.
struct ScramVerifier {
  uint32_t iterations = 0;
  std::string salt;  // raw bytes, any length from 1
  ScramKey stored_key{};
  ScramKey server_key{};
  bool operator==(const ScramVerifier&) const = default;
};

inline constexpr uint32_t kScramDefaultIterations = 4096;

StatusOr<ScramVerifier> ParseScramVerifier(std::string_view text);
std::string FormatScramVerifier(const ScramVerifier& verifier);

// Derives a verifier (about 2 ms at 4096 iterations). The password goes through SASLprep where it
// can, and is used as it is where it can't, as PostgreSQL does.
ScramVerifier MakeScramVerifier(std::string_view password, std::string_view salt,
                                uint32_t iterations);

// The ClientKey that goes with such a verifier: what a login takes in place of the password.
ScramKey MakeScramClientKey(std::string_view password, std::string_view salt, uint32_t iterations);

// A verifier that no password fits, for a user that does not exist: the same user gets the same
// salt for as long as `process_secret` stays the same.
ScramVerifier MockScramVerifier(std::string_view user, std::string_view process_secret);

// True if `password` is the one that the verifier was made from. For method "password".
bool ScramVerifies(const ScramVerifier& verifier, std::string_view password);

inline constexpr std::string_view kScramMechanism = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlusMechanism = "SCRAM-SHA-256-PLUS";

// The TLS channel that an exchange may be bound to, so that nobody in the middle can pass it on.
struct ScramChannel {
  // RFC 5929's tls-server-end-point: the hash of the server's certificate. "" when there is none,
  // and then SCRAM-SHA-256-PLUS is not offered.
  std::string server_end_point = {};
  bool plus_selected = false;  // the client has chosen SCRAM-SHA-256-PLUS
};

// One exchange. Call First, then Final, once each.
class ScramServer {
 public:
  // `nonce` is the server's part: 18 random bytes in base64, from the caller.
  ScramServer(ScramVerifier verifier, std::string nonce, ScramChannel channel = {});

  // client-first-message -> server-first-message. Fails with 08P01 for a malformed message or a
  // gs2 header that does not go with the mechanism selected, and with 28000 for a client that saw
  // no channel binding offered where we did: somebody has taken it out.
  StatusOr<std::string> First(std::string_view client_first);

  // client-final-message -> server-final-message. Fails with 28P01 when the proof is wrong
  // (compared in constant time), 28000 when the channel is another one than the client's, 08P01
  // when nonce or gs2 header are not the ones of First.
  StatusOr<std::string> Final(std::string_view client_final);

  // After a Final that was OK: the key that the client proved to have. With it, and the verifier's
  // ServerKey, one can log in wherever the same verifier is stored.
  const ScramKey& client_key() const { return client_key_; }

 private:
  ScramVerifier verifier_;
  ScramKey client_key_{};
  std::string nonce_;
  const ScramChannel channel_;
  std::string gs2_header_;
  std::string client_first_bare_;
  std::string server_first_;
};

}  // namespace pgweir::wire
