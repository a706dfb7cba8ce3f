#include "proxy/authentication.h"

#include "base/log.h"
#include "net/address.h"
#include "net/tls.h"
#include "proxy/password_login.h"

namespace pgweir::proxy {
namespace {

using config::HbaMethod;

// What is asked of a client.
struct Demand {
  HbaMethod method;
  config::ClientCert client_cert = config::ClientCert::kNo;
  std::string map = {};
};

HbaMethod MethodOf(config::AuthMethod method) {
  switch (method) {
    case config::AuthMethod::kTrust:
      return HbaMethod::kTrust;
    case config::AuthMethod::kPassword:
      return HbaMethod::kPassword;
    case config::AuthMethod::kMd5:
      return HbaMethod::kMd5;
    case config::AuthMethod::kScramSha256:
      return HbaMethod::kScramSha256;
    case config::AuthMethod::kCert:
      return HbaMethod::kCert;
    case config::AuthMethod::kHba:
      break;
  }
  return HbaMethod::kReject;
}

// "host "10.1.2.3", user "ann", database "app", no encryption", as PostgreSQL words it.
std::string Described(const Client& client, const wire::StartupMessage& startup, bool physical) {
  const std::string host = client.peer.ip.has_value() ? client.peer.ip->ToString() : "[local]";
  const std::string database = physical ? "" : fmt::format(", database \"{}\"", startup.database);
  return fmt::format("host \"{}\", user \"{}\"{}, {}", host, startup.user, database,
                     client.stream.tls() ? "SSL encryption" : "no encryption");
}

StatusOr<Demand> DemandOf(const Client& client, const Snapshot& snapshot,
                          const wire::StartupMessage& startup) {
  const config::Auth& auth = snapshot.config().auth;
  if (auth.method != config::AuthMethod::kHba) {
    return Demand{.method = MethodOf(auth.method), .map = auth.ident_map};
  }
  config::HbaRequest request;
  request.user = startup.user;
  request.database = startup.database;
  request.physical_replication = !startup.replication.empty() && startup.replication != "database";
  request.encrypted = client.stream.tls();
  request.address = client.peer.ip;
  const auto* rule = snapshot.hba().Find(request, snapshot.own_addresses());
  const bool physical = request.physical_replication;
  const std::string_view kind = physical ? "replication connection from " : "";
  if (rule == nullptr) {
    return Errorf(sqlstate::kInvalidAuthorization, "no pg_hba.conf entry for {}{}", kind,
                  Described(client, startup, physical));
  }
  if (rule->method == HbaMethod::kReject) {
    return Errorf(sqlstate::kInvalidAuthorization, "pg_hba.conf rejects {}{}",
                  physical ? kind : "connection for ", Described(client, startup, physical));
  }
  return Demand{.method = rule->method, .client_cert = rule->client_cert, .map = rule->map};
}

Status CheckCertificate(const Client& client, const Snapshot& snapshot, const std::string& map,
                        const std::string& user) {
  const std::string name = net::PeerCommonName(client.stream.ssl());
  if (snapshot.ident_maps().Allows(map, name, user)) return absl::OkStatus();
  LogInfo("the certificate is another user's client={} certificate=\"{}\" user=\"{}\" map=\"{}\"",
          client.peer.address, name, user, map);
  return Errorf(sqlstate::kInvalidAuthorization,
                "certificate authentication failed for user \"{}\"", user);
}

// What is asked of the client's certificate, whatever the method.
Status CheckClientCert(const Client& client, const Snapshot& snapshot, const Demand& demand,
                       const std::string& user) {
  using config::ClientCert;
  const bool by_certificate = demand.method == HbaMethod::kCert;
  if (demand.client_cert == ClientCert::kNo && !by_certificate) return absl::OkStatus();
  // The handshake has verified it, where there is one.
  if (!client.stream.tls() || !net::HasPeerCertificate(client.stream.ssl())) {
    return Error(sqlstate::kInvalidAuthorization, "connection requires a valid client certificate");
  }
  if (by_certificate || demand.client_cert == ClientCert::kVerifyFull) {
    return CheckCertificate(client, snapshot, demand.map, user);
  }
  return absl::OkStatus();
}

Status CheckPeer(const Client& client, const Snapshot& snapshot, const std::string& map,
                 const std::string& user) {
  const auto peer = net::PeerOf(client.stream.socket().fd());
  const auto name = peer.has_value() ? net::UserName(peer->uid) : std::nullopt;
  if (name.has_value() && snapshot.ident_maps().Allows(map, *name, user)) return absl::OkStatus();
  LogInfo("the unix socket's peer is another user peer=\"{}\" user=\"{}\" map=\"{}\"",
          name.value_or("unknown"), user, map);
  return Errorf(sqlstate::kInvalidAuthorization, "Peer authentication failed for user \"{}\"",
                user);
}

// Finds the user's secret, for the server's login if not for the client's. An error where the user
// must be known and is not.
net::Task<StatusOr<Proof>> Look(Client& client, SessionHost& host, const Snapshot& snapshot,
                                const wire::StartupMessage& startup) {
  Proof proof;
  if (!snapshot.config().auth.known_users_only) {
    const std::string* secret = snapshot.users().Find(startup.user);
    if (secret != nullptr) proof.secret = *secret;
    co_return proof;
  }
  const UserSecrets::Asking asking{snapshot, host.shared().pools, client.event, startup.user,
                                   startup.database};
  const auto found = co_await host.shared().secrets.Find(asking);
  if (!found.ok()) co_return found.status();
  if (!found->secret.text.has_value()) {
    co_return Errorf(sqlstate::kInvalidAuthorization, "no such user: {}", startup.user);
  }
  proof.secret = found->secret.text;
  co_return proof;
}

}  // namespace

net::Task<StatusOr<Proof>> Authenticate(Client& client, SessionHost& host, const Snapshot& snapshot,
                                        const wire::StartupMessage& startup) {
  if (client.peer.ours) co_return co_await Look(client, host, snapshot, startup);
  const auto demand = DemandOf(client, snapshot, startup);
  if (!demand.ok()) co_return demand.status();
  const Status certified = CheckClientCert(client, snapshot, *demand, startup.user);
  if (!certified.ok()) co_return certified;
  switch (demand->method) {
    case HbaMethod::kTrust:
    case HbaMethod::kCert:
      co_return co_await Look(client, host, snapshot, startup);
    case HbaMethod::kPeer: {
      const Status same = CheckPeer(client, snapshot, demand->map, startup.user);
      if (!same.ok()) co_return same;
      co_return co_await Look(client, host, snapshot, startup);
    }
    case HbaMethod::kPassword:
    case HbaMethod::kMd5:
    case HbaMethod::kScramSha256: {
      PasswordLogin login(client, host, snapshot, startup);
      co_return co_await login.Run(demand->method);
    }
    case HbaMethod::kReject:
      break;
  }
  co_return Error(sqlstate::kInternalError, "unknown authentication method");
}

}  // namespace pgweir::proxy
