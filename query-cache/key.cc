#include "query-cache/key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstring>

#include "base/check.h"

namespace pgweir::cache {
namespace {

// Every part with its length before it, so that no two lists of parts run together to the same
// bytes.
void AppendNumber(std::string& out, uint32_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

void AppendPart(std::string& out, std::string_view part) {
  AppendNumber(out, static_cast<uint32_t>(part.size()));
  out.append(part);
}

HashSecret DrawSecret() {
  HashSecret secret;
  PGWEIR_CHECK(RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
  return secret;
}

}  // namespace

const HashSecret& ProcessHashSecret() {
  static const HashSecret secret = DrawSecret();
  return secret;
}

struct KeyMaker::Mac {
  Mac() {
    EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_SIPHASH, nullptr);
    PGWEIR_CHECK(algorithm != nullptr);
    context = EVP_MAC_CTX_new(algorithm);  // keeps a reference of its own
    EVP_MAC_free(algorithm);
    PGWEIR_CHECK(context != nullptr);
    size_t size = sizeof(Hash128);
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     OSSL_PARAM_construct_end()};
    PGWEIR_CHECK(EVP_MAC_CTX_set_params(context, parameters) == 1);
  }
  ~Mac() { EVP_MAC_CTX_free(context); }
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  EVP_MAC_CTX* context = nullptr;
};

KeyMaker::KeyMaker(const HashSecret& secret) : secret_(secret), mac_(std::make_unique<Mac>()) {}
KeyMaker::~KeyMaker() = default;
KeyMaker::KeyMaker(KeyMaker&&) noexcept = default;
KeyMaker& KeyMaker::operator=(KeyMaker&&) noexcept = default;

Key KeyMaker::Make(const KeyParts& parts) {
  bytes_.clear();
  AppendNumber(bytes_, static_cast<uint32_t>(parts.nodes.size()));
  for (const std::string_view node : parts.nodes) AppendPart(bytes_, node);
  AppendPart(bytes_, parts.database);
  AppendPart(bytes_, parts.login_role);
  AppendPart(bytes_, parts.effective_role);
  AppendPart(bytes_, parts.search_path);
  AppendPart(bytes_, parts.settings);
  AppendNumber(bytes_, static_cast<uint32_t>(parts.protocol));
  AppendPart(bytes_, parts.text);
  AppendPart(bytes_, parts.parameter_types);
  AppendPart(bytes_, parts.bind);
  return {bytes_, Hash(bytes_)};
}

Hash128 KeyMaker::Hash(std::string_view bytes) {
  unsigned char out[sizeof(Hash128)];
  size_t size = 0;
  const bool done =
      EVP_MAC_init(mac_->context, secret_.data(), secret_.size(), nullptr) == 1 &&
      EVP_MAC_update(mac_->context, reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size()) == 1 &&
      EVP_MAC_final(mac_->context, out, &size, sizeof out) == 1;
  PGWEIR_CHECK(done && size == sizeof out);
  Hash128 hash;
  std::memcpy(&hash.high, out, sizeof hash.high);
  std::memcpy(&hash.low, out + sizeof hash.high, sizeof hash.low);
  return hash;
}

}  // namespace pgweir::cache
