#include "wire/scram_client.h"

#include <algorithm>

#include "wire/base64.h"
#include "wire/hash.h"

namespace pgweir::wire {
namespace {

// Real messages take some hundred bytes.
constexpr size_t kMaxMessage = 8192;
constexpr size_t kMaxNonce = 1024;

Status Malformed(std::string_view why) {
  return Errorf(sqlstate::kProtocolViolation, "malformed SCRAM message of the server: {}", why);
}

// Takes "NAME=value" off the front of `rest`, with the comma behind it.
StatusOr<std::string_view> TakeAttribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') {
    return Malformed(fmt::format("attribute \"{}\" expected", name));
  }
  const size_t end = std::min(rest.find(','), rest.size());
  const std::string_view value = rest.substr(2, end - 2);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

// RFC 5802's "printable": visible ASCII without the comma.
bool IsPrintable(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

}  // namespace

ScramClient::ScramClient(ScramLoginRef login, std::string gs2_header, std::string_view binding,
                         std::string nonce)
    : login_(std::move(login)),
      gs2_header_(std::move(gs2_header)),
      nonce_(std::move(nonce)),
      binding_(Base64Encode(gs2_header_ + std::string(binding))) {}

std::string ScramClient::First() {
  // The name is that of the start-up packet; libpq sends none here either.
  const std::string bare = "n=,r=" + nonce_;
  auth_message_ = bare;
  return gs2_header_ + bare;
}

StatusOr<std::string> ScramClient::Final(std::string_view server_first) {
  if (server_first.size() > kMaxMessage) return Malformed("too long");
  std::string_view rest = server_first;
  const auto nonce = TakeAttribute(rest, 'r');
  if (!nonce.ok()) return nonce.status();
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return Malformed("the nonce is not a continuation of ours");
  }
  if (nonce->size() > kMaxNonce || !IsPrintable(*nonce)) return Malformed("unusable nonce");
  const auto salt = TakeAttribute(rest, 's');
  if (!salt.ok()) return salt.status();
  const auto iterations = TakeAttribute(rest, 'i');
  if (!iterations.ok()) return iterations.status();

  const ScramVerifier& verifier = login_->verifier();
  if (Base64Decode(*salt) != verifier.salt || *iterations != fmt::to_string(verifier.iterations)) {
    return Error(sqlstate::kInvalidPassword,
                 "the server's SCRAM secret has another salt or iteration count");
  }
  const std::string without_proof = fmt::format("c={},r={}", binding_, *nonce);
  auth_message_ = fmt::format("{},{},{}", auth_message_, server_first, without_proof);
  // RFC 5802, section 3: ClientProof = ClientKey XOR ClientSignature.
  ScramKey proof = HmacSha256(AsText(verifier.stored_key), auth_message_);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] ^= login_->client_key()[i];
  return fmt::format("{},p={}", without_proof, Base64Encode(AsText(proof)));
}

Status ScramClient::Check(std::string_view server_final) const {
  if (server_final.size() > kMaxMessage) return Malformed("too long");
  std::string_view rest = server_final;
  if (const auto error = TakeAttribute(rest, 'e'); error.ok()) {
    return Errorf(sqlstate::kInvalidPassword, "the server refused the SCRAM proof: {}",
                  IsPrintable(*error) ? *error : "unreadable reason");
  }
  rest = server_final;
  const auto signature = TakeAttribute(rest, 'v');
  if (!signature.ok()) return signature.status();
  const ScramKey expected = HmacSha256(AsText(login_->verifier().server_key), auth_message_);
  if (!SameSecret(*signature, Base64Encode(AsText(expected)))) {
    return Error(sqlstate::kInvalidPassword,
                 "the server does not know the SCRAM secret: its signature is wrong");
  }
  return absl::OkStatus();
}

}  // namespace pgweir::wire
