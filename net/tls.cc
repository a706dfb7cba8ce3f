#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstring>

namespace pgweir::net {
namespace {

constexpr unsigned char kAlpn[] = "\x0apostgresql";

// A client that offers protocols must offer ours; one that offers none is fine behind SSLRequest.
int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
               unsigned int in_length, void*) {
  unsigned char* chosen = nullptr;
  const int result =
      SSL_select_next_proto(&chosen, out_length, kAlpn, sizeof kAlpn - 1, in, in_length);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status TlsError(std::string_view what, const std::string& file) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return Errorf(sqlstate::kConfigFileError, "could not load {} \"{}\": {}", what, file,
                reason != nullptr ? reason : "unreadable");
}

}  // namespace

StatusOr<std::shared_ptr<const TlsContext>> TlsContext::Load(const std::string& certificate,
                                                             const std::string& key,
                                                             const std::string& ca, Verify verify) {
  auto result = std::make_shared<TlsContext>();
  result->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = result->context_.get();
  if (context == nullptr) return TlsError("TLS for", certificate);
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return TlsError("the certificate", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return TlsError("the key", key);
  }
  if (!ca.empty() && SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) != 1) {
    return TlsError("the CA certificate", ca);
  }
  if (verify != Verify::kNone) {
    const int refuse_without = verify == Verify::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | refuse_without, nullptr);
    // Tells clients with several certificates which one to show.
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca.c_str()));
  }
  return std::shared_ptr<const TlsContext>(std::move(result));
}

SslPtr TlsContext::NewSession(int fd) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl != nullptr && SSL_set_fd(ssl.get(), fd) != 1) ssl.reset();
  return ssl;
}

std::string ServerEndPoint(SSL* ssl) {
  const X509* certificate = SSL_get_certificate(ssl);
  int hash = NID_undef;
  if (certificate == nullptr || X509_get_signature_info(const_cast<X509*>(certificate), &hash,
                                                        nullptr, nullptr, nullptr) != 1) {
    ERR_clear_error();
    return "";
  }
  if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
  const EVP_MD* algorithm = EVP_get_digestbynid(hash);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (algorithm == nullptr || X509_digest(certificate, algorithm, digest, &length) != 1) {
    ERR_clear_error();
    return "";
  }
  return std::string(reinterpret_cast<const char*>(digest), length);
}

bool HasPeerCertificate(SSL* ssl) {
  return SSL_get0_peer_certificate(ssl) != nullptr && SSL_get_verify_result(ssl) == X509_V_OK;
}

std::string PeerCommonName(SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return "";
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return "";
  unsigned char* text = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (length < 0) return "";
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(length));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : "";
}

std::string DescribeTls(const SSL* ssl) {
  return std::string(SSL_get_version(ssl)) + "/" + SSL_get_cipher_name(ssl);
}

}  // namespace pgweir::net
