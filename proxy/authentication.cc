#include "proxy/authentication.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/check.h"
#include "base/log.h"
#include "wire/md5.h"
#include "wire/messages.h"
#include "wire/scram.h"

namespace pgweir::proxy {
namespace {

// PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH.
constexpr uint32_t kMaxAuthMessage = 65535;
static_assert(kMaxAuthMessage < Client::kMaxInput);

template <size_t N>
std::array<unsigned char, N> RandomBytes() {
  std::array<unsigned char, N> bytes;
  PGWEIR_CHECK(RAND_bytes(bytes.data(), N) == 1);
  return bytes;
}

std::string ServerNonce() {
  const auto bytes = RandomBytes<18>();
  std::array<unsigned char, 25> text{};
  const int length = EVP_EncodeBlock(text.data(), bytes.data(), bytes.size());
  return std::string(reinterpret_cast<const char*>(text.data()), static_cast<size_t>(length));
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Status WrongPassword(const std::string& user) {
  return Errorf(sqlstate::kInvalidPassword, "password authentication failed for user \"{}\"", user);
}

// The next message's body, which must be an answer to an authentication request.
net::Task<StatusOr<std::string>> ReadAnswer(Client& client) {
  while (client.input.size() < wire::kHeaderSize) {
    // Anything else is refused at its first byte, as its length means nothing.
    if (!client.input.empty() && client.input[0] != wire::frontend::kPassword) break;
    if (!co_await client.ReadMore()) co_return absl::CancelledError("client gone");
  }
  const std::string& in = client.input;
  if (in[0] != wire::frontend::kPassword) {
    co_return Errorf(sqlstate::kProtocolViolation,
                     "expected password response, got message type {}",
                     static_cast<unsigned char>(in[0]));
  }
  const auto byte = [&in](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(in[i]));
  };
  const uint32_t length = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
  if (length < 4 || length > kMaxAuthMessage) {
    co_return Error(sqlstate::kProtocolViolation, "invalid password packet size");
  }
  while (client.input.size() < 1 + length) {
    if (!co_await client.ReadMore()) co_return absl::CancelledError("client gone");
  }
  std::string body = client.input.substr(wire::kHeaderSize, length - 4);
  client.input.erase(0, 1 + length);
  co_return body;
}

net::Task<StatusOr<std::string>> Ask(Client& client, std::string request) {
  if (!client.Send(request)) co_return absl::CancelledError("client gone");
  if (!co_await client.Flush()) co_return absl::CancelledError("client gone");
  co_return co_await ReadAnswer(client);
}

bool PasswordFits(const std::string& secret, std::string_view password, const std::string& user) {
  switch (KindOf(secret)) {
    case SecretKind::kPlain:
      return SameSecret(secret, password);
    case SecretKind::kMd5:
      return SameSecret(secret, wire::Md5Secret(password, user));
    case SecretKind::kScram: {
      const auto verifier = wire::ParseScramVerifier(secret);
      return verifier.ok() && wire::ScramVerifies(*verifier, password);
    }
  }
  return false;
}

net::Task<Status> ClearPassword(Client& client, const Snapshot& snapshot, std::string user) {
  const bool private_line = client.stream.tls() || client.peer.unix_socket;
  if (!private_line && !snapshot.config().auth.allow_plain_without_tls) {
    co_return Error(sqlstate::kInvalidAuthorization,
                    "a clear-text password is accepted over TLS only (use sslmode=require, or set "
                    "auth.allow_plain_without_tls)");
  }
  std::string request;
  wire::AppendAuthenticationCleartextPassword(request);
  const auto answer = co_await Ask(client, std::move(request));
  if (!answer.ok()) co_return answer.status();
  const auto password = wire::ReadPassword(wire::AsBytes(*answer));
  if (!password.ok()) co_return password.status();
  const std::string* secret = snapshot.users().Find(user);
  const bool fits = secret != nullptr && !secret->empty() && !password->empty() &&
                    PasswordFits(*secret, *password, user);
  co_return fits ? absl::OkStatus() : WrongPassword(user);
}

net::Task<Status> Md5Password(Client& client, const Snapshot& snapshot, std::string user) {
  const auto salt_bytes = RandomBytes<4>();
  const std::string salt(reinterpret_cast<const char*>(salt_bytes.data()), salt_bytes.size());
  std::string request;
  wire::AppendAuthenticationMd5Password(request, salt);
  const auto answer = co_await Ask(client, std::move(request));
  if (!answer.ok()) co_return answer.status();
  const auto response = wire::ReadPassword(wire::AsBytes(*answer));
  if (!response.ok()) co_return response.status();
  const std::string* secret = snapshot.users().Find(user);
  if (secret == nullptr || secret->empty()) co_return WrongPassword(user);
  const std::string md5 =
      KindOf(*secret) == SecretKind::kMd5 ? *secret : wire::Md5Secret(*secret, user);
  co_return SameSecret(wire::Md5Response(md5, salt), *response) ? absl::OkStatus()
                                                                : WrongPassword(user);
}

net::Task<Status> Scram(Client& client, const Snapshot& snapshot, std::string user) {
  std::string request;
  wire::AppendAuthenticationSasl(request, {"SCRAM-SHA-256"});
  const auto first = co_await Ask(client, std::move(request));
  if (!first.ok()) co_return first.status();
  const auto initial = wire::ReadSaslInitialResponse(wire::AsBytes(*first));
  if (!initial.ok()) co_return initial.status();
  if (initial->mechanism != "SCRAM-SHA-256") {
    co_return Error(sqlstate::kProtocolViolation,
                    "client selected an invalid SASL authentication mechanism");
  }
  if (!initial->data.has_value()) {
    co_return Error(sqlstate::kProtocolViolation, "the SCRAM exchange must begin with the client");
  }
  wire::ScramServer exchange(snapshot.VerifierFor(user), ServerNonce());
  const auto challenge = exchange.First(*initial->data);
  if (!challenge.ok()) co_return challenge.status();
  request.clear();
  wire::AppendAuthenticationSaslContinue(request, *challenge);
  const auto second = co_await Ask(client, std::move(request));
  if (!second.ok()) co_return second.status();
  const auto outcome = exchange.Final(*second);
  if (!outcome.ok()) {
    const bool wrong = SqlStateOf(outcome.status()) == sqlstate::kInvalidPassword;
    co_return wrong ? WrongPassword(user) : outcome.status();
  }
  request.clear();
  wire::AppendAuthenticationSaslFinal(request, *outcome);
  co_return client.Send(request) ? absl::OkStatus() : absl::CancelledError("client gone");
}

}  // namespace

net::Task<Status> Authenticate(Client& client, const Snapshot& snapshot, std::string user) {
  switch (snapshot.config().auth.method) {
    case config::AuthMethod::kTrust:
      if (snapshot.config().auth.trust_listed_only && snapshot.users().Find(user) == nullptr) {
        co_return Errorf(sqlstate::kInvalidAuthorization, "no such user: {}", user);
      }
      co_return absl::OkStatus();
    case config::AuthMethod::kPassword:
      co_return co_await ClearPassword(client, snapshot, std::move(user));
    case config::AuthMethod::kMd5: {
      // A user whose secret is a SCRAM verifier can't answer md5: the stronger exchange is used.
      const std::string* secret = snapshot.users().Find(user);
      if (secret != nullptr && KindOf(*secret) == SecretKind::kScram) {
        co_return co_await Scram(client, snapshot, std::move(user));
      }
      co_return co_await Md5Password(client, snapshot, std::move(user));
    }
    case config::AuthMethod::kScramSha256:
      co_return co_await Scram(client, snapshot, std::move(user));
  }
  co_return Error(sqlstate::kInternalError, "unknown authentication method");
}

}  // namespace pgweir::proxy
