#include "pooler/own_login.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "net/tls_client.h"
#include "pooler/channel.h"
#include "pooler/own_connection.h"
#include "pooler/own_stream.h"
#include "wire/base64.h"
#include "wire/hash.h"
#include "wire/messages.h"
#include "wire/server_login.h"

namespace pgweir::pooler {
namespace {

using SettingsRef = std::shared_ptr<const ConnectionSettings>;

// How far an attempt came before it failed.
struct Progress {
  bool handshake = false;      // TLS was begun
  bool asked = false;          // the start-up packet went out
  bool authenticated = false;  // the server let us in
  bool refused = false;        // the error is the server's own
};

std::string Nonce() {
  std::array<unsigned char, 18> bytes;
  PGWEIR_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return wire::Base64Encode(wire::AsText(bytes));
}

wire::ServerLogin::ChannelBinding BindingOf(const net::Stream& stream,
                                            const ConnectionSettings& settings) {
  wire::ServerLogin::ChannelBinding binding;
  binding.required = settings.channel_binding == ChannelBinding::kRequire;
  if (stream.tls() && settings.channel_binding != ChannelBinding::kDisable) {
    binding.server_end_point = net::PeerEndPoint(stream.ssl());
  }
  return binding;
}

// libpq documentation, "target_session_attrs". Servers report the two since version 14.
Status CheckAttributes(SessionAttributes wanted, const wire::Parameters& parameters) {
  if (wanted == SessionAttributes::kAny) return absl::OkStatus();
  const std::string* standby = parameters.Find("in_hot_standby");
  const std::string* read_only = parameters.Find("default_transaction_read_only");
  if (standby == nullptr || read_only == nullptr) {
    return Error(sqlstate::kFeatureNotSupported,
                 "target_session_attrs needs a server of version 14 or later here");
  }
  const bool stands_by = *standby == "on";
  const bool reads_only = stands_by || *read_only == "on";
  const bool fits = wanted == SessionAttributes::kReadWrite  ? !reads_only
                    : wanted == SessionAttributes::kReadOnly ? reads_only
                    : wanted == SessionAttributes::kPrimary  ? !stands_by
                                                             : stands_by;
  if (fits) return absl::OkStatus();
  return Error(sqlstate::kCannotConnect, "the server is not as target_session_attrs wants it");
}

// From the start-up packet to the server's first ReadyForQuery.
net::Task<Status> StartUp(Channel& channel, const ConnectionSettings& settings,
                          wire::ServerLogin& login, Progress& progress) {
  std::string in, out;
  wire::AppendStartupMessage(out, settings.startup);
  progress.asked = true;
  StatusOr<bool> ready = false;
  while (!*ready) {
    const Status sent = co_await channel.Write(std::exchange(out, ""));
    if (!sent.ok()) co_return sent;
    const Status got = co_await channel.Read(in);
    if (!got.ok()) co_return got;
    ready = login.Take(in, out);
    progress.authenticated = login.authenticated();
    progress.refused = login.refused();
    if (!ready.ok()) co_return ready.status();
  }
  // Something the server said of its own accord just then, which nobody would read again.
  if (!in.empty()) co_return Error(sqlstate::kCannotConnect, "unexpected message at the start");
  co_return absl::OkStatus();
}

net::Task<StatusOr<ServerConnection>> LogInOnce(const wire::HashedLogin& hashed,
                                                const SettingsRef& settings, const Server& server,
                                                Encryption encryption, Readiness& readiness,
                                                Progress& progress) {
  const TimePoint until = DeadlineAfter(settings->connect_timeout);
  auto stream =
      co_await OpenStream(server, *settings, encryption, readiness, until, progress.handshake);
  if (!stream.ok()) co_return stream.status();
  Channel channel(**stream, readiness, until);
  wire::ServerLogin login(hashed, BindingOf(**stream, *settings), Nonce());
  const Status started = co_await StartUp(channel, *settings, login, progress);
  if (!started.ok()) co_return started;
  const Status fits = CheckAttributes(settings->attributes, login.parameters());
  ServerConnection connection = OwnConnection(*std::move(stream), settings, server, login);
  if (!fits.ok()) co_return fits;
  co_return connection;
}

// libpq documentation, "SSL Mode Descriptions". Never over a unix socket.
std::vector<Encryption> EncryptionsFor(const ConnectionSettings& settings, const ServerHost& host) {
  if (host.unix_socket) return {Encryption::kNever};
  switch (settings.ssl_mode) {
    case SslMode::kDisable:
      return {Encryption::kNever};
    case SslMode::kAllow:
      return {Encryption::kNever, Encryption::kAlways};
    case SslMode::kPrefer:
      return {Encryption::kIfOffered, Encryption::kNever};
    default:
      return {Encryption::kAlways};
  }
}

// Whether the mode's other choice may do better: pg_hba.conf wants it, or TLS came to nothing.
bool OtherEncryptionMayDo(Encryption tried, const Progress& progress, const Status& failure) {
  if (progress.authenticated) return false;
  const bool refused = progress.refused && SqlStateOf(failure) == sqlstate::kInvalidAuthorization;
  if (tried == Encryption::kNever) return refused;
  return progress.handshake && (refused || !progress.asked);
}

net::Task<StatusOr<ServerConnection>> LogInToServer(const wire::HashedLogin& hashed,
                                                    const SettingsRef& settings,
                                                    const Server& server, Readiness& readiness,
                                                    Progress& progress) {
  const std::vector<Encryption> encryptions = EncryptionsFor(*settings, server.host);
  for (size_t i = 0;; ++i) {
    progress = Progress();
    auto result = co_await LogInOnce(hashed, settings, server, encryptions[i], readiness, progress);
    if (result.ok() || i + 1 == encryptions.size() || readiness.over() ||
        !OtherEncryptionMayDo(encryptions[i], progress, result.status())) {
      co_return result;
    }
  }
}

// Another server of the list may do better. One that refuses the login speaks for all of them.
bool AnotherServerMayDo(const Status& failure) {
  const std::string state = SqlStateOf(failure);
  return state == sqlstate::kCannotConnect || state == sqlstate::kCannotConnectNow;
}

// The failures of all servers that were tried, the last one's SQLSTATE.
void Add(Status& failures, const ServerAddress* address, const Status& failure) {
  std::string text = MessageOf(failure);
  if (address != nullptr && SqlStateOf(failure) == sqlstate::kCannotConnect) {
    text = fmt::format("connection to server at {} failed: {}", address->text, text);
  }
  if (!failures.ok()) text = fmt::format("{}; {}", MessageOf(failures), text);
  failures = Error(SqlStateOf(failure), text);
}

net::Task<StatusOr<ServerConnection>> LogInToAny(const wire::HashedLogin& hashed,
                                                 const SettingsRef& settings, Readiness& readiness,
                                                 Progress& progress) {
  Status failures;
  for (const ServerHost& host : settings->hosts) {
    const auto addresses = Resolve(host);
    if (!addresses.ok()) {
      Add(failures, nullptr, addresses.status());
      continue;
    }
    for (const ServerAddress& address : *addresses) {
      const Server server{host, address};
      auto result = co_await LogInToServer(hashed, settings, server, readiness, progress);
      if (result.ok()) co_return result;
      if (!AnotherServerMayDo(result.status())) co_return result;
      Add(failures, &address, result.status());
      if (readiness.over()) co_return failures;
    }
  }
  co_return failures;
}

// A refusal because of the secret, with what its reader can do about it.
Status Explain(const Target& target, const std::string& user, const Progress& progress,
               const Status& failure) {
  const std::string state = SqlStateOf(failure);
  if (progress.refused && state == sqlstate::kInvalidPassword) {
    return Errorf(state,
                  "{} (node \"{}\" does not accept the secret that pgweir has of this user: both "
                  "must have the same one)",
                  MessageOf(failure), target.node);
  }
  if (progress.refused || state.substr(0, 2) != "28") return failure;
  return Errorf(state,
                "cannot log in to node \"{}\" as \"{}\": {} (pgweir and the node must have the "
                "same secret, or the node's connection string a user and password)",
                target.node, user, MessageOf(failure));
}

}  // namespace

net::Task<StatusOr<ServerConnection>> LogInByHash(const Target& target, Readiness& readiness) {
  if (!target.complete()) {
    co_return Errorf(sqlstate::kInvalidAuthorization,
                     "cannot log in to node \"{}\" as \"{}\": the user's SCRAM secret has changed, "
                     "and no client has logged in with it yet",
                     target.node, target.user);
  }
  auto read = ReadConninfo(target);
  if (!read.ok()) co_return read.status();
  Progress progress;
  const bool prefers = read->attributes == SessionAttributes::kPreferStandby;
  if (prefers) read->attributes = SessionAttributes::kStandby;
  SettingsRef settings = std::make_shared<const ConnectionSettings>(*read);
  auto result = co_await LogInToAny(*target.hashed, settings, readiness, progress);
  if (prefers && !result.ok() && AnotherServerMayDo(result.status()) && !readiness.over()) {
    read->attributes = SessionAttributes::kAny;
    settings = std::make_shared<const ConnectionSettings>(*read);
    result = co_await LogInToAny(*target.hashed, settings, readiness, progress);
  }
  if (!result.ok()) co_return Explain(target, settings->user, progress, result.status());
  co_return result;
}

}  // namespace pgweir::pooler
