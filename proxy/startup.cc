#include "proxy/startup.h"

#include <sys/socket.h>

#include "base/log.h"
#include "proxy/error_response.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr unsigned char kTlsHandshakeRecord = 0x16;

net::Task<void> Refuse(Client& client, Status error) {
  std::string message;
  AppendError(message, Severity::kFatal, error);
  if (client.Send(message)) co_await client.Flush();
}

// The first byte of the connection, left in the socket: under TLS it belongs to the handshake.
net::Task<std::optional<unsigned char>> PeekFirstByte(Client& client) {
  while (true) {
    unsigned char byte;
    const ssize_t got = recv(client.stream.socket().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == 1) co_return byte;
    if (got == 0 || client.stream.socket().hung_up() || client.event.expired()) {
      co_return std::nullopt;
    }
    co_await client.event.Wait();
  }
}

net::Task<bool> Handshake(Client& client, const net::TlsContext& tls) {
  net::SslPtr ssl = tls.NewSession(client.stream.socket().fd());
  if (ssl == nullptr) co_return false;
  client.stream.UseTls(std::move(ssl));
  while (true) {
    const net::IoResult step = client.stream.Accept();
    if (step.state == net::IoState::kOk) co_return true;
    if (step.state != net::IoState::kBlocked || client.event.expired()) {
      LogInfo("TLS handshake failed client={}", client.peer.address);
      co_return false;
    }
    co_await client.event.Wait();
  }
}

// A client that begins with TLS at once must name the protocol, or it may be talking to the wrong
// server (ALPACA).
bool NegotiatedPostgres(const net::Stream& stream) {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(stream.ssl(), &name, &length);
  return std::string_view(reinterpret_cast<const char*>(name), length) == "postgresql";
}

net::Task<StatusOr<wire::StartupPacket>> ReadPacket(Client& client) {
  while (true) {
    const auto length = wire::StartupLength(wire::AsBytes(client.input));
    if (!length.ok()) co_return length.status();
    if (*length > 0 && client.input.size() >= *length) {
      auto packet = wire::DecodeStartup(wire::AsBytes(client.input).first(*length));
      // A cancel request is never answered, whatever it looks like.
      if (!packet.ok() && wire::IsCancelRequest(wire::AsBytes(client.input))) {
        co_return absl::CancelledError("malformed cancel request");
      }
      client.input.erase(0, *length);
      co_return packet;
    }
    if (!co_await client.ReadMore()) co_return absl::CancelledError("client gone");
  }
}

net::Task<void> CarryOutCancel(Client& client, SessionHost& host, wire::CancelRequest request) {
  const auto owner = host.shared().cancel_keys.Find(request.process_id, request.secret);
  if (!owner.has_value()) co_return;
  auto ticket = std::make_shared<CancelTicket>(host.worker(), client.event);
  host.shared().hosts[static_cast<size_t>(owner->worker)]->Cancel(owner->session, ticket);
  while (!ticket->finished() && !client.event.expired()) co_await client.event.Wait();
  ticket->Abandon();
}

// Answers SSLRequest or GSSENCRequest. False when the connection must end.
net::Task<bool> AnswerEncryption(Client& client, const net::TlsContext* tls, char answer) {
  // Bytes behind the request would be taken for encrypted ones.
  if (!client.input.empty()) {
    const Status error =
        Error(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
    co_await Refuse(client, error);
    co_return false;
  }
  if (!client.Send(std::string_view(&answer, 1))) co_return false;
  if (!co_await client.Flush()) co_return false;
  if (answer != 'S') co_return true;
  co_return co_await Handshake(client, *tls);
}

Status CheckEncryption(const Client& client, config::TlsMode mode) {
  const bool demanded = mode == config::TlsMode::kRequire || mode == config::TlsMode::kVerifyCa ||
                        mode == config::TlsMode::kVerifyFull;
  if (!demanded || client.stream.tls() || client.peer.unix_socket) return absl::OkStatus();
  return Error(sqlstate::kInvalidAuthorization,
               "this server accepts encrypted connections only (use sslmode=require)");
}

}  // namespace

net::Task<std::optional<wire::StartupMessage>> NegotiateStartup(Client& client, SessionHost& host) {
  const SnapshotRef snapshot = host.snapshot();
  const net::TlsContext* tls = client.peer.unix_socket ? nullptr : snapshot->tls().get();
  const auto first = co_await PeekFirstByte(client);
  if (!first.has_value()) co_return std::nullopt;
  bool ssl_asked = false;
  bool gss_asked = false;
  if (*first == kTlsHandshakeRecord) {
    if (tls == nullptr || !co_await Handshake(client, *tls)) co_return std::nullopt;
    if (!NegotiatedPostgres(client.stream)) co_return std::nullopt;
    ssl_asked = gss_asked = true;
  }
  while (true) {
    auto packet = co_await ReadPacket(client);
    if (!packet.ok()) {
      if (!absl::IsCancelled(packet.status())) co_await Refuse(client, packet.status());
      co_return std::nullopt;
    }
    if (const auto* cancel = std::get_if<wire::CancelRequest>(&*packet)) {
      co_await CarryOutCancel(client, host, *cancel);
      co_return std::nullopt;
    }
    if (auto* startup = std::get_if<wire::StartupMessage>(&*packet)) {
      const Status allowed = CheckEncryption(client, snapshot->config().listen.tls.mode);
      if (allowed.ok()) co_return std::move(*startup);
      co_await Refuse(client, allowed);
      co_return std::nullopt;
    }
    const bool ssl = std::holds_alternative<wire::SslRequest>(*packet);
    bool& asked = ssl ? ssl_asked : gss_asked;
    if (std::exchange(asked, true)) {
      const Status error =
          Error(sqlstate::kProtocolViolation, "encryption was requested more than once");
      co_await Refuse(client, error);
      co_return std::nullopt;
    }
    const char answer = ssl && tls != nullptr ? 'S' : 'N';
    if (!co_await AnswerEncryption(client, tls, answer)) co_return std::nullopt;
    if (answer == 'S') gss_asked = true;
  }
}

}  // namespace pgweir::proxy
