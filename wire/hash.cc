#include "wire/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

#include "base/check.h"

namespace pgweir::wire {
namespace {

// Fetched objects live as long as the process: OpenSSL cleans up at exit, perhaps before statics.
const EVP_MD* Fetch(const char* name) {
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  PGWEIR_CHECK(md != nullptr);
  return md;
}

const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const md = Fetch("SHA256");
  return md;
}

EVP_MAC* HmacAlgorithm() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  PGWEIR_CHECK(mac != nullptr);
  return mac;
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

const unsigned char* Data(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

}  // namespace

Sha256Digest Sha256(std::string_view data) {
  Sha256Digest digest{};
  PGWEIR_CHECK(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, Sha256Algorithm(),
                          nullptr) == 1);
  return digest;
}

Sha256Digest HmacSha256(std::string_view key, std::string_view data) {
  // A null key would mean "the one set before" to OpenSSL.
  if (key.data() == nullptr) key = "";
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(HmacAlgorithm()));
  PGWEIR_CHECK(context != nullptr);
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
      OSSL_PARAM_construct_end(),
  };
  Sha256Digest digest{};
  size_t written = 0;
  PGWEIR_CHECK(EVP_MAC_init(context.get(), Data(key), key.size(), params) == 1 &&
               EVP_MAC_update(context.get(), Data(data), data.size()) == 1 &&
               EVP_MAC_final(context.get(), digest.data(), &written, digest.size()) == 1 &&
               written == digest.size());
  return digest;
}

Sha256Digest Pbkdf2Sha256(std::string_view password, std::string_view salt, uint32_t iterations) {
  PGWEIR_CHECK(iterations >= 1 && iterations <= INT32_MAX);
  Sha256Digest digest{};
  PGWEIR_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Data(salt),
                                 static_cast<int>(salt.size()), static_cast<int>(iterations),
                                 Sha256Algorithm(), static_cast<int>(digest.size()),
                                 digest.data()) == 1);
  return digest;
}

std::string Md5Hex(std::string_view data) {
  static const EVP_MD* const md5 = Fetch("MD5");
  std::array<unsigned char, 16> digest{};
  PGWEIR_CHECK(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, md5, nullptr) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pgweir::wire
