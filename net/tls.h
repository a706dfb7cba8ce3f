#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "net/stream.h"

namespace pgweir::net {

// The server's side of TLS for clients: certificate, key and, for client certificates, the CA.
// Immutable and shared; a reload makes a new one and connections keep theirs.
class TlsContext {
 public:
  // Of clients' certificates: not asked for; verified where the client shows one; required.
  enum class Verify { kNone, kIfShown, kRequired };

  // Paths of PEM files; `ca` may be empty unless client certificates are verified. The error names
  // the file and OpenSSL's reason.
  static StatusOr<std::shared_ptr<const TlsContext>> Load(const std::string& certificate,
                                                          const std::string& key,
                                                          const std::string& ca, Verify verify);

  // A session for an accepted descriptor.
  SslPtr NewSession(int fd) const;

 private:
  struct ContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, ContextDeleter> context_;
};

// RFC 5929's tls-server-end-point of this end's certificate: its hash, by the hash function of its
// signature, or SHA-256 where that is MD5 or SHA-1. "" where the signature has none.
std::string ServerEndPoint(SSL* ssl);

// Whether the peer has shown a certificate, which then was verified.
bool HasPeerCertificate(SSL* ssl);

// The common name of the certificate that the peer showed and that was verified; "" without one, or
// where the name has a NUL in it.
std::string PeerCommonName(SSL* ssl);

// "TLSv1.3/TLS_AES_256_GCM_SHA384", of an encrypted connection.
std::string DescribeTls(const SSL* ssl);

}  // namespace pgweir::net
