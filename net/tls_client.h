#pragma once

#include <string>

#include "base/status.h"
#include "net/stream.h"

namespace pgweir::net {

// The client's side of TLS, towards servers. Paths are of PEM files; "" = none.
struct TlsClientSettings {
  bool verify = false;           // the server's certificate, against `authorities`
  std::string authorities;       // needed to verify
  std::string revoked;           // certificates revoked by them
  std::string revoked_folder;    // likewise, a folder
  std::string certificate, key;  // our own
  std::string key_password;
  std::string oldest, newest;  // "TLSv1.2" and so on; "" = as OpenSSL likes
  bool send_name = true;       // server name indication
};

// A session for a descriptor that is connected to `host`. The error says which file is unusable.
StatusOr<SslPtr> NewTlsClientSession(const TlsClientSettings& settings, const std::string& host,
                                     int fd);

// Why the last TLS call failed, in OpenSSL's words.
std::string TlsFailure(SSL* ssl);

// Whether the certificate that the server showed is for `host`, a name or an address: among its
// subjectAltNames, or its common name where it has none.
Status CheckServerName(SSL* ssl, const std::string& host);

// The hash of the server's certificate that SCRAM is bound to (RFC 5929, tls-server-end-point); ""
// where its signature's algorithm names no hash.
std::string PeerEndPoint(SSL* ssl);

}  // namespace pgweir::net
