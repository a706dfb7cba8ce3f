#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "net/socket.h"

namespace pgweir::net {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

// A socket, plain or under TLS. As Socket: never blocks, used on its worker's thread.
//
// After a blocked write the same bytes must come first in the next one: TLS has already encrypted
// them.
class Stream {
 public:
  Stream(int fd, Socket::Ownership ownership) : socket_(fd, ownership) {}

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }

  // Encrypts from here on. `ssl` must be made for this descriptor; UseTls takes it over, BorrowTls
  // leaves it with its owner, who must keep it until the stream is gone.
  void UseTls(SslPtr ssl);
  void BorrowTls(SSL* ssl);
  bool tls() const { return ssl_ != nullptr; }
  SSL* ssl() const { return ssl_; }

  // The server's side of the handshake, one step: kOk when done (`bytes` is meaningless), kBlocked
  // to call again after the event.
  IoResult Accept();
  // Likewise the client's side.
  IoResult Connect();

  // Bytes may be there: in the socket, or decrypted already, which no event will tell.
  bool readable() const { return socket_.readable() || (ssl_ != nullptr && SSL_pending(ssl_) > 0); }
  bool writable() const { return socket_.writable(); }

  IoResult Read(std::span<std::byte> out);
  IoResult Write(std::span<const std::byte> in);

  // Says goodbye under TLS as far as that goes without waiting.
  void Shutdown();

 private:
  IoResult SslResult(int result);

  Socket socket_;
  SslPtr owned_ssl_;
  SSL* ssl_ = nullptr;
};

}  // namespace pgweir::net
