#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "wire/hashed_login.h"

namespace pgweir::bench {

struct LoginOptions {
  uint16_t port = 0;  // of the loopback address
  std::string user = "postgres";
  std::string database = "postgres";
  wire::ScramLoginRef keys;      // null where the server trusts
  SSL_CTX* encrypted = nullptr;  // for TLS, without a look at the server's certificate
};

// A connection that blocks, logged in by keys that are known beforehand: what it costs the client
// is little beside what it costs a proxy.
class LoginClient {
 public:
  static StatusOr<std::unique_ptr<LoginClient>> LogIn(const LoginOptions& options);
  ~LoginClient();

  // A simple query, up to the end of its answer.
  Status Ask(std::string_view sql);

  // Takes its leave and waits until the server has closed, too.
  void Leave();

 private:
  explicit LoginClient(int fd) : fd_(fd) {}
  Status Encrypt(SSL_CTX* context);
  Status StartUp(const LoginOptions& options);
  Status Send(std::string_view bytes);
  // Appends what comes next to `in_`.
  Status Receive();

  const int fd_;
  SSL* ssl_ = nullptr;
  std::string in_;
};

}  // namespace pgweir::bench
