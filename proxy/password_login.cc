#include "proxy/password_login.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/check.h"
#include "net/tls.h"
#include "wire/hash.h"
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

bool PasswordFits(const std::string& secret, std::string_view password, const std::string& user) {
  switch (KindOf(secret)) {
    case SecretKind::kPlain:
      return wire::SameSecret(secret, password);
    case SecretKind::kMd5:
      return wire::SameSecret(secret, wire::Md5Secret(password, user));
    case SecretKind::kScram: {
      const auto verifier = wire::ParseScramVerifier(secret);
      return verifier.ok() && wire::ScramVerifies(*verifier, password);
    }
  }
  return false;
}

}  // namespace

PasswordLogin::PasswordLogin(Client& client, SessionHost& host, const Snapshot& snapshot,
                             const wire::StartupMessage& startup)
    : client_(client), host_(host), snapshot_(snapshot), startup_(startup) {}

net::Task<StatusOr<Proof>> PasswordLogin::Run(config::HbaMethod method) {
  auto found = co_await host_.shared().secrets.Find(asking());
  if (!found.ok()) co_return found.status();
  found_ = *std::move(found);
  if (method == config::HbaMethod::kPassword) co_return co_await Clear();
  // A user whose secret is a SCRAM verifier can't answer md5: the stronger exchange is used. Who
  // there is, is not to be told by it: the others are asked what most are.
  const bool scram = secret() == nullptr ? snapshot_.users().most_have_verifiers()
                                         : KindOf(*secret()) == SecretKind::kScram;
  if (method == config::HbaMethod::kMd5 && !scram) co_return co_await Md5();
  co_return co_await Scram();
}

net::Task<StatusOr<Proof>> PasswordLogin::Clear() {
  const bool private_line = client_.stream.tls() || client_.peer.unix_socket;
  if (!private_line && !snapshot_.config().auth.allow_plain_without_tls) {
    co_return Error(sqlstate::kInvalidAuthorization,
                    "a clear-text password is accepted over TLS only (use sslmode=require, or set "
                    "auth.allow_plain_without_tls)");
  }
  std::string request;
  wire::AppendAuthenticationCleartextPassword(request);
  const auto answer = co_await Ask(std::move(request));
  if (!answer.ok()) co_return answer.status();
  const auto password = wire::ReadPassword(wire::AsBytes(*answer));
  if (!password.ok()) co_return password.status();
  if (password->empty()) co_return WrongPassword();
  const auto fits = [&](const std::string& secret) {
    return PasswordFits(secret, *password, startup_.user);
  };
  if (!co_await Fits(fits)) co_return WrongPassword();
  Proof proof = MakeProof();
  proof.password = *password;
  co_return proof;
}

net::Task<StatusOr<Proof>> PasswordLogin::Md5() {
  const auto salt_bytes = RandomBytes<4>();
  const std::string salt(wire::AsText(salt_bytes));
  std::string request;
  wire::AppendAuthenticationMd5Password(request, salt);
  const auto answer = co_await Ask(std::move(request));
  if (!answer.ok()) co_return answer.status();
  const auto response = wire::ReadPassword(wire::AsBytes(*answer));
  if (!response.ok()) co_return response.status();
  const auto fits = [&](const std::string& secret) {
    if (KindOf(secret) == SecretKind::kScram) return false;
    const std::string md5 =
        KindOf(secret) == SecretKind::kMd5 ? secret : wire::Md5Secret(secret, startup_.user);
    return wire::SameSecret(wire::Md5Response(md5, salt), *response);
  };
  if (!co_await Fits(fits)) co_return WrongPassword();
  co_return MakeProof();
}

net::Task<StatusOr<Proof>> PasswordLogin::Scram() {
  wire::ScramChannel channel;
  if (client_.stream.tls()) channel.server_end_point = net::ServerEndPoint(client_.stream.ssl());
  std::string request;
  if (channel.server_end_point.empty()) {
    wire::AppendAuthenticationSasl(request, {wire::kScramMechanism});
  } else {
    wire::AppendAuthenticationSasl(request, {wire::kScramPlusMechanism, wire::kScramMechanism});
  }
  const auto first = co_await Ask(std::move(request));
  if (!first.ok()) co_return first.status();
  const auto initial = wire::ReadSaslInitialResponse(wire::AsBytes(*first));
  if (!initial.ok()) co_return initial.status();
  channel.plus_selected =
      initial->mechanism == wire::kScramPlusMechanism && !channel.server_end_point.empty();
  if (!channel.plus_selected && initial->mechanism != wire::kScramMechanism) {
    co_return Error(sqlstate::kProtocolViolation,
                    "client selected an invalid SASL authentication mechanism");
  }
  if (!initial->data.has_value()) {
    co_return Error(sqlstate::kProtocolViolation, "the SCRAM exchange must begin with the client");
  }
  const wire::ScramVerifier verifier = snapshot_.VerifierFor(startup_.user, secret());
  wire::ScramServer exchange(verifier, ServerNonce(), std::move(channel));
  const auto challenge = exchange.First(*initial->data);
  if (!challenge.ok()) co_return challenge.status();
  request.clear();
  wire::AppendAuthenticationSaslContinue(request, *challenge);
  const auto second = co_await Ask(std::move(request));
  if (!second.ok()) co_return second.status();
  const auto outcome = exchange.Final(*second);
  if (!outcome.ok()) {
    if (SqlStateOf(outcome.status()) != sqlstate::kInvalidPassword) co_return outcome.status();
    // This exchange is bound to the salt of what was remembered; the next one need not be.
    if (found_.stale) host_.shared().secrets.Forget(asking());
    co_return WrongPassword();
  }
  request.clear();
  wire::AppendAuthenticationSaslFinal(request, *outcome);
  if (!client_.Send(request)) co_return absl::CancelledError("client gone");
  Proof proof = MakeProof();
  proof.client_key = wire::AsText(exchange.client_key());
  proof.server_key = wire::AsText(verifier.server_key);
  co_return proof;
}

// The next message's body, which must be an answer to an authentication request.
net::Task<StatusOr<std::string>> PasswordLogin::ReadAnswer() {
  while (client_.input.size() < wire::kHeaderSize) {
    // Anything else is refused at its first byte, as its length means nothing.
    if (!client_.input.empty() && client_.input[0] != wire::frontend::kPassword) break;
    if (!co_await client_.ReadMore()) co_return absl::CancelledError("client gone");
  }
  const std::string& in = client_.input;
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
  while (client_.input.size() < 1 + length) {
    if (!co_await client_.ReadMore()) co_return absl::CancelledError("client gone");
  }
  std::string body = client_.input.substr(wire::kHeaderSize, length - 4);
  client_.input.erase(0, 1 + length);
  co_return body;
}

net::Task<StatusOr<std::string>> PasswordLogin::Ask(std::string request) {
  if (!client_.Send(request)) co_return absl::CancelledError("client gone");
  if (!co_await client_.Flush()) co_return absl::CancelledError("client gone");
  co_return co_await ReadAnswer();
}

net::Task<bool> PasswordLogin::Fits(absl::FunctionRef<bool(const std::string&)> fits) {
  if (secret() != nullptr && fits(*secret())) co_return true;
  if (!found_.stale) co_return false;
  auto found = co_await host_.shared().secrets.FindAnew(asking());
  if (!found.ok()) co_return false;
  found_ = *std::move(found);
  co_return secret() != nullptr&& fits(*secret());
}

const std::string* PasswordLogin::secret() const {
  return found_.secret.At(std::chrono::system_clock::now());
}

UserSecrets::Asking PasswordLogin::asking() const {
  return {snapshot_, host_.shared().pools, client_.event, startup_.user, startup_.database};
}

Status PasswordLogin::WrongPassword() const {
  return Errorf(sqlstate::kInvalidPassword, "password authentication failed for user \"{}\"",
                startup_.user);
}

Proof PasswordLogin::MakeProof() const {
  Proof proof;
  proof.secret = found_.secret.text;
  return proof;
}

}  // namespace pgweir::proxy
