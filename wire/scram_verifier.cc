#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "wire/base64.h"
#include "wire/hash.h"
#include "wire/saslprep.h"
#include "wire/scram.h"

namespace pgweir::wire {
namespace {

constexpr std::string_view kMechanism = "SCRAM-SHA-256";
constexpr size_t kMockSaltSize = 16;

Status Malformed() {
  return Error(
      sqlstate::kConfigFileError,
      "malformed SCRAM secret: expected SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey");
}

// Takes what precedes `separator` off the front of `rest`; false when there is none.
bool Split(std::string_view& rest, char separator, std::string_view& part) {
  const size_t at = rest.find(separator);
  if (at == std::string_view::npos) return false;
  part = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return true;
}

bool ParseIterations(std::string_view text, uint32_t& iterations) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, iterations);
  return error == std::errc{} && stop == end && iterations >= 1 && iterations <= INT32_MAX;
}

bool ParseKey(std::string_view text, ScramKey& key) {
  const std::optional<std::string> bytes = Base64Decode(text);
  if (!bytes.has_value() || bytes->size() != key.size()) return false;
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return true;
}

ScramKey SaltedPassword(std::string_view password, std::string_view salt, uint32_t iterations) {
  std::string prepared = SaslPrep(password);
  const ScramKey salted = Pbkdf2Sha256(prepared, salt, iterations);
  OPENSSL_cleanse(prepared.data(), prepared.size());
  return salted;
}

}  // namespace

StatusOr<ScramVerifier> ParseScramVerifier(std::string_view text) {
  std::string_view mechanism, iterations, salt, stored_key;
  if (!Split(text, '$', mechanism) || mechanism != kMechanism || !Split(text, ':', iterations) ||
      !Split(text, '$', salt) || !Split(text, ':', stored_key)) {
    return Malformed();
  }
  ScramVerifier verifier;
  std::optional<std::string> raw_salt = Base64Decode(salt);
  if (!ParseIterations(iterations, verifier.iterations) || !raw_salt.has_value() ||
      raw_salt->empty() || !ParseKey(stored_key, verifier.stored_key) ||
      !ParseKey(text, verifier.server_key)) {
    return Malformed();
  }
  verifier.salt = *std::move(raw_salt);
  return verifier;
}

std::string FormatScramVerifier(const ScramVerifier& verifier) {
  return fmt::format("{}${}:{}${}:{}", kMechanism, verifier.iterations, Base64Encode(verifier.salt),
                     Base64Encode(AsText(verifier.stored_key)),
                     Base64Encode(AsText(verifier.server_key)));
}

ScramKey MakeScramClientKey(std::string_view password, std::string_view salt, uint32_t iterations) {
  ScramKey salted = SaltedPassword(password, salt, iterations);
  const ScramKey client_key = HmacSha256(AsText(salted), "Client Key");
  OPENSSL_cleanse(salted.data(), salted.size());
  return client_key;
}

ScramVerifier MakeScramVerifier(std::string_view password, std::string_view salt,
                                uint32_t iterations) {
  ScramKey salted = SaltedPassword(password, salt, iterations);
  ScramKey client_key = HmacSha256(AsText(salted), "Client Key");
  ScramVerifier verifier{.iterations = iterations,
                         .salt = std::string(salt),
                         .stored_key = Sha256(AsText(client_key)),
                         .server_key = HmacSha256(AsText(salted), "Server Key")};
  OPENSSL_cleanse(salted.data(), salted.size());
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return verifier;
}

ScramVerifier MockScramVerifier(std::string_view user, std::string_view process_secret) {
  const Sha256Digest salt = HmacSha256(process_secret, user);
  // A user's name has no NUL, so these inputs are no other user's.
  const auto key = [&](std::string_view purpose) {
    std::string input(user);
    input += '\0';
    input += purpose;
    return HmacSha256(process_secret, input);
  };
  // Nobody knows a ClientKey whose hash is this StoredKey.
  return {.iterations = kScramDefaultIterations,
          .salt = std::string(AsText(salt).substr(0, kMockSaltSize)),
          .stored_key = key("StoredKey"),
          .server_key = key("ServerKey")};
}

bool ScramVerifies(const ScramVerifier& verifier, std::string_view password) {
  // PostgreSQL never lets an empty password in, whatever the secret says.
  if (password.empty() || verifier.iterations == 0) return false;
  const ScramVerifier made = MakeScramVerifier(password, verifier.salt, verifier.iterations);
  return SameSecret(AsText(made.stored_key), AsText(verifier.stored_key));
}

}  // namespace pgweir::wire
