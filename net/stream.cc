#include "net/stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <climits>

namespace pgweir::net {

void Stream::UseTls(SslPtr ssl) {
  owned_ssl_ = std::move(ssl);
  BorrowTls(owned_ssl_.get());
}

void Stream::BorrowTls(SSL* ssl) {
  ssl_ = ssl;
  // libpq sets only the latter; without the former a large write is all or nothing.
  SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

IoResult Stream::Accept() {
  ERR_clear_error();
  return SslResult(SSL_accept(ssl_));
}

IoResult Stream::Connect() {
  ERR_clear_error();
  return SslResult(SSL_connect(ssl_));
}

IoResult Stream::Read(std::span<std::byte> out) {
  if (ssl_ == nullptr) return socket_.Read(out);
  ERR_clear_error();
  return SslResult(
      SSL_read(ssl_, out.data(), static_cast<int>(std::min<size_t>(out.size(), INT_MAX))));
}

IoResult Stream::Write(std::span<const std::byte> in) {
  if (ssl_ == nullptr) return socket_.Write(in);
  ERR_clear_error();
  return SslResult(
      SSL_write(ssl_, in.data(), static_cast<int>(std::min<size_t>(in.size(), INT_MAX))));
}

void Stream::Shutdown() {
  if (owned_ssl_ == nullptr || !SSL_is_init_finished(ssl_)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

IoResult Stream::SslResult(int result) {
  if (result > 0) return {IoState::kOk, static_cast<size_t>(result)};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      socket_.NoteReadBlocked();
      return {IoState::kBlocked, 0};
    case SSL_ERROR_WANT_WRITE:
      socket_.NoteWriteBlocked();
      return {IoState::kBlocked, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoState::kClosed, 0};
    default:
      // libpq clients end without close_notify; that is an end like any other.
      return {socket_.hung_up() ? IoState::kClosed : IoState::kFailed, 0};
  }
}

}  // namespace pgweir::net
