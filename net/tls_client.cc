#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace pgweir::net {
namespace {

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextDeleter>;

Status Unusable(std::string_view what, const std::string& file) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return Errorf(sqlstate::kCannotConnect, "could not load {} \"{}\": {}", what, file,
                reason != nullptr ? reason : "unreadable");
}

// Also for keys that have none: OpenSSL would ask at the terminal.
int GivePassword(char* out, int size, int, void* settings) {
  const std::string& password = static_cast<const TlsClientSettings*>(settings)->key_password;
  const auto length = std::min(static_cast<size_t>(size), password.size());
  std::memcpy(out, password.data(), length);
  return static_cast<int>(length);
}

StatusOr<int> ProtocolVersion(const std::string& name) {
  if (name.empty()) return 0;
  if (name == "TLSv1") return TLS1_VERSION;
  if (name == "TLSv1.1") return TLS1_1_VERSION;
  if (name == "TLSv1.2") return TLS1_2_VERSION;
  if (name == "TLSv1.3") return TLS1_3_VERSION;
  return Errorf(sqlstate::kCannotConnect, "unknown TLS version \"{}\"", name);
}

Status LimitVersions(SSL_CTX* context, const TlsClientSettings& settings) {
  const StatusOr<int> oldest = ProtocolVersion(settings.oldest);
  if (!oldest.ok()) return oldest.status();
  const StatusOr<int> newest = ProtocolVersion(settings.newest);
  if (!newest.ok()) return newest.status();
  SSL_CTX_set_min_proto_version(context, *oldest);
  SSL_CTX_set_max_proto_version(context, *newest);
  return absl::OkStatus();
}

Status TrustAuthorities(SSL_CTX* context, const TlsClientSettings& settings) {
  if (SSL_CTX_load_verify_locations(context, settings.authorities.c_str(), nullptr) != 1) {
    return Unusable("root certificate file", settings.authorities);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (settings.revoked.empty() && settings.revoked_folder.empty()) return absl::OkStatus();
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const auto path = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
  if (X509_STORE_load_locations(store, path(settings.revoked), path(settings.revoked_folder)) !=
      1) {
    return Unusable("certificate revocation list", settings.revoked);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return absl::OkStatus();
}

// As libpq and PostgreSQL do: 0600 or less, or root's and 0640 or less.
Status CheckKeyPrivate(const std::string& file) {
  struct stat about{};
  if (stat(file.c_str(), &about) != 0) return Unusable("private key file", file);
  const mode_t forbidden = about.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if (!S_ISREG(about.st_mode) || (about.st_mode & forbidden) == 0) return absl::OkStatus();
  return Errorf(sqlstate::kCannotConnect, "private key file \"{}\" has group or world access",
                file);
}

Status ShowCertificate(SSL_CTX* context, const TlsClientSettings& settings) {
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) {
    return Unusable("certificate file", settings.certificate);
  }
  const Status is_private = CheckKeyPrivate(settings.key);
  if (!is_private.ok()) return is_private;
  if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Unusable("private key file", settings.key);
  }
  return absl::OkStatus();
}

bool IsAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

StatusOr<SslPtr> NewTlsClientSession(const TlsClientSettings& settings, const std::string& host,
                                     int fd) {
  ERR_clear_error();
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return Unusable("TLS for", host);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(context.get(), GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), const_cast<TlsClientSettings*>(&settings));
  Status status = LimitVersions(context.get(), settings);
  if (status.ok() && settings.verify) status = TrustAuthorities(context.get(), settings);
  if (status.ok() && !settings.certificate.empty()) {
    status = ShowCertificate(context.get(), settings);
  }
  // The settings need not outlive this call.
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), nullptr);
  if (!status.ok()) return status;

  SslPtr ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) return Unusable("TLS for", host);
  if (settings.send_name && !host.empty() && !IsAddress(host)) {
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  }
  return ssl;
}

std::string TlsFailure(SSL* ssl) {
  const unsigned long error = ERR_get_error();
  const long verified = SSL_get_verify_result(ssl);
  if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && verified != X509_V_OK) {
    return fmt::format("certificate verify failed: {}", X509_verify_cert_error_string(verified));
  }
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "the server closed the connection";
}

Status CheckServerName(SSL* ssl, const std::string& host) {
  if (host.empty()) {
    return Error(sqlstate::kCannotConnect,
                 "a host name is needed for sslmode=verify-full, hostaddr alone does not do");
  }
  X509* certificate = SSL_get0_peer_certificate(ssl);
  const bool address = IsAddress(host);
  const unsigned flags =
      address ? X509_CHECK_FLAG_NO_WILDCARDS : X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  const bool fits = certificate != nullptr &&
                    ((address && X509_check_ip_asc(certificate, host.c_str(), 0) == 1) ||
                     X509_check_host(certificate, host.data(), host.size(), flags, nullptr) == 1);
  if (fits) return absl::OkStatus();
  return Errorf(sqlstate::kCannotConnect, "the server's certificate is not for host \"{}\"", host);
}

std::string PeerEndPoint(SSL* ssl) {
  const std::unique_ptr<X509, CertificateDeleter> certificate(SSL_get1_peer_certificate(ssl));
  int hash = NID_undef;
  if (certificate == nullptr ||
      OBJ_find_sigid_algs(X509_get_signature_nid(certificate.get()), &hash, nullptr) != 1) {
    return "";
  }
  // RFC 5929, section 4.1: what is too weak is replaced.
  if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
  const EVP_MD* digest = EVP_get_digestbynid(hash);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (digest == nullptr || X509_digest(certificate.get(), digest, bytes, &length) != 1) return "";
  return std::string(reinterpret_cast<const char*>(bytes), length);
}

}  // namespace pgweir::net
