#include "pooler/own_stream.h"

#include "net/tls_client.h"
#include "pooler/channel.h"
#include "wire/messages.h"

namespace pgweir::pooler {
namespace {

// The server's answer to SSLRequest. One byte is read and no more: what came behind it in clear
// must not be taken for decrypted, and so meets the handshake, which it breaks.
net::Task<StatusOr<bool>> OffersTls(Channel& channel) {
  std::string request;
  wire::AppendSslRequest(request);
  const Status sent = co_await channel.Write(std::move(request));
  if (!sent.ok()) co_return sent;
  std::string answer;
  const Status got = co_await channel.Read(answer, 1);
  if (!got.ok()) co_return got;
  if (answer == "S") co_return true;
  if (answer == "N") co_return false;
  // 'E' begins the error of a server that doesn't know the request; nobody vouches for its text.
  co_return Error(sqlstate::kCannotConnect, "the server does not understand a request for SSL");
}

net::Task<Status> StartTls(net::Stream& stream, Channel& channel, const std::string& name,
                           const ConnectionSettings& settings) {
  auto session = net::NewTlsClientSession(settings.tls, name, stream.socket().fd());
  if (!session.ok()) co_return session.status();
  stream.UseTls(*std::move(session));
  const Status done = co_await channel.ConnectTls();
  if (!done.ok() || settings.ssl_mode != SslMode::kVerifyFull) co_return done;
  co_return net::CheckServerName(stream.ssl(), name);
}

}  // namespace

net::Task<StatusOr<std::unique_ptr<net::Stream>>> OpenStream(const Server& server,
                                                             const ConnectionSettings& settings,
                                                             Encryption encryption,
                                                             Readiness& readiness, TimePoint until,
                                                             bool& handshake) {
  const StatusOr<int> fd = StartConnecting(server.address, settings);
  if (!fd.ok()) co_return fd.status();
  auto stream = std::make_unique<net::Stream>(*fd, net::Socket::Ownership::kOwns);
  const bool done = co_await readiness.Await(*fd, Readiness::Way::kWriting, until);
  if (!done) co_return TimedOut();
  const Status connected = ConnectOutcome(*fd);
  if (!connected.ok()) co_return connected;
  if (encryption == Encryption::kNever) co_return stream;

  Channel channel(*stream, readiness, until);
  const StatusOr<bool> offered = co_await OffersTls(channel);
  if (!offered.ok()) co_return offered.status();
  if (!*offered) {
    if (encryption == Encryption::kIfOffered) co_return stream;
    co_return Error(sqlstate::kCannotConnect,
                    "the server does not support SSL, but SSL was required");
  }
  handshake = true;
  const Status secured = co_await StartTls(*stream, channel, server.host.name, settings);
  if (!secured.ok()) co_return secured;
  co_return stream;
}

}  // namespace pgweir::pooler
