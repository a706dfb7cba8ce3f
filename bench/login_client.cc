#include "bench/login_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "wire/base64.h"
#include "wire/messages.h"
#include "wire/server_login.h"

namespace pgweir::bench {
namespace {

Status Lost(std::string_view what) { return Errorf("08006", "{}: {}", what, std::strerror(errno)); }

std::string Nonce() {
  std::array<unsigned char, 18> bytes{};
  RAND_bytes(bytes.data(), bytes.size());
  return wire::Base64Encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// The length of the message that begins with `in`; 0 while it is not there as a whole.
size_t WholeMessage(std::string_view in) {
  if (in.size() < 5) return 0;
  size_t length = 1;
  uint32_t word = 0;
  for (const char byte : in.substr(1, 4)) word = word << 8 | static_cast<uint8_t>(byte);
  length += word;
  return in.size() < length ? 0 : length;
}

}  // namespace

StatusOr<std::unique_ptr<LoginClient>> LoginClient::LogIn(const LoginOptions& options) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Lost("socket");
  std::unique_ptr<LoginClient> client(new LoginClient(fd));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Lost("connect");
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Status status;
  if (options.encrypted != nullptr) status = client->Encrypt(options.encrypted);
  if (status.ok()) status = client->StartUp(options);
  if (!status.ok()) return status;
  return client;
}

LoginClient::~LoginClient() {
  SSL_free(ssl_);
  close(fd_);
}

Status LoginClient::Encrypt(SSL_CTX* context) {
  std::string request;
  wire::AppendSslRequest(request);
  if (Status status = Send(request); !status.ok()) return status;
  if (Status status = Receive(); !status.ok()) return status;
  if (std::exchange(in_, "") != "S") return Error("08001", "the server wants no TLS");
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  if (SSL_connect(ssl_) != 1) return Error("08001", "the TLS handshake failed");
  return absl::OkStatus();
}

Status LoginClient::StartUp(const LoginOptions& options) {
  std::string out;
  wire::AppendStartupMessage(out, {{"user", options.user}, {"database", options.database}});
  wire::ServerLogin login(options.keys, {}, Nonce());
  while (true) {
    if (!out.empty()) {
      if (Status status = Send(std::exchange(out, "")); !status.ok()) return status;
    }
    if (Status status = Receive(); !status.ok()) return status;
    const StatusOr<bool> ready = login.Take(in_, out);
    if (!ready.ok()) return ready.status();
    if (*ready) return absl::OkStatus();
  }
}

Status LoginClient::Ask(std::string_view sql) {
  std::string out;
  wire::AppendQuery(out, sql);
  if (Status status = Send(out); !status.ok()) return status;
  while (true) {
    for (size_t length = WholeMessage(in_); length > 0; length = WholeMessage(in_)) {
      const char type = in_[0];
      in_.erase(0, length);
      if (type == 'E') return Error("XX000", "the query failed");
      if (type == 'Z') return absl::OkStatus();
    }
    if (Status status = Receive(); !status.ok()) return status;
  }
}

void LoginClient::Leave() {
  std::string out;
  wire::AppendTerminate(out);
  Status status = Send(out);
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_WR);
  while (status.ok()) status = Receive();
}

Status LoginClient::Send(std::string_view bytes) {
  if (ssl_ != nullptr) {
    const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    return sent > 0 ? absl::OkStatus() : Lost("SSL_write");
  }
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(bytes.size()) ? absl::OkStatus() : Lost("send");
}

Status LoginClient::Receive() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ssl_ != nullptr ? SSL_read(ssl_, buffer.data(), buffer.size())
                                      : recv(fd_, buffer.data(), buffer.size(), 0);
  if (got == 0) return Error("08006", "the server has closed the connection");
  if (got < 0) {
    ERR_clear_error();
    return Lost("recv");
  }
  in_.append(buffer.data(), static_cast<size_t>(got));
  return absl::OkStatus();
}

}  // namespace pgweir::bench
