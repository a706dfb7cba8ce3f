#include "proxy/startup.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/log.h"
#include "proxy/error_response.h"
#include "wire/messages.h"
#include "wire/proxy_header.h"

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

// The header that a balancer puts before the connection, taken out of the socket: what follows may
// be TLS's. False when the connection must end.
net::Task<bool> TakeProxyHeader(Client& client) {
  const int fd = client.stream.socket().fd();
  while (true) {
    // A header is not longer than that.
    const auto scratch = client.event.worker().scratch().first(wire::kMaxProxyHeader);
    const ssize_t got = recv(fd, scratch.data(), scratch.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) {
      const auto header = wire::ReadProxyHeader(scratch.first(static_cast<size_t>(got)));
      if (!header.ok()) {
        LogWarn("{} client={}", MessageOf(header.status()), client.peer.address);
        co_return false;
      }
      if (header->size > 0) {
        if (recv(fd, scratch.data(), header->size, MSG_DONTWAIT) !=
            static_cast<ssize_t>(header->size)) {
          co_return false;
        }
        if (header->source.has_value()) {
          client.peer.ip = header->source->address;
          client.peer.address = header->source->address.WithPort(header->source->port);
        }
        co_return true;
      }
    }
    if (got == 0 || client.stream.socket().hung_up() || client.event.expired()) co_return false;
    co_await client.event.Wait();
  }
}

bool IsBalancer(const Client& client, const config::Listen& listen) {
  return client.peer.ip.has_value() &&
         std::any_of(listen.proxy_protocol.begin(), listen.proxy_protocol.end(),
                     [&](const IpRange& range) { return range.Contains(*client.peer.ip); });
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

// Gives the request to its session, here or in a peer. False when there is none.
bool Direct(SessionHost& host, const wire::CancelRequest& request,
            const std::shared_ptr<CancelTicket>& ticket) {
  Shared& shared = host.shared();
  if (const auto owner = shared.cancel_keys.Find(request.process_id, request.secret)) {
    shared.hosts[static_cast<size_t>(owner->worker)]->Cancel(owner->session, ticket);
    return true;
  }
  const auto foreign = shared.cancel_keys.FindForeign(request.process_id, request.secret);
  if (!foreign.has_value()) return false;
  const config::Config& config = host.snapshot()->config();
  const auto peer = config.peers.find(foreign->peer_id);
  if (peer == config.peers.end()) {
    LogInfo("cancel request for peer {}, which [peers] does not name", foreign->peer_id);
    return false;
  }
  shared.peer_cancels.Pass(*foreign, peer->second, config.CancelsAtOnce(peer->second),
                           [ticket] { CancelTicket::Finish(ticket); });
  return true;
}

net::Task<void> CarryOutCancel(Client& client, SessionHost& host, wire::CancelRequest request) {
  auto ticket = std::make_shared<CancelTicket>(host.worker(), client.event);
  if (!Direct(host, request, ticket)) co_return;
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
  if (IsBalancer(client, snapshot->config().listen) && !co_await TakeProxyHeader(client)) {
    co_return std::nullopt;
  }
  const auto first = co_await PeekFirstByte(client);
  if (!first.has_value()) co_return std::nullopt;
  if (wire::BeginsProxyHeader(static_cast<std::byte>(*first))) {
    const Status error =
        Errorf(sqlstate::kProtocolViolation,
               "a PROXY header is taken from balancers only: listen.proxy_protocol "
               "does not name {}",
               client.peer.address);
    co_await Refuse(client, error);
    co_return std::nullopt;
  }
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
