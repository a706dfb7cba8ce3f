#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "fmt/format.h"

namespace pgweir::test {
namespace {

[[noreturn]] void Fail(std::string_view what) {
  throw std::runtime_error(fmt::format("raw client: {}", what));
}

}  // namespace

RawClient::RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Fail(fmt::format("connect to port {}: {}", port, std::strerror(errno)));
  }
  int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawClient::RawClient(const std::string& socket_path)
    : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Fail(fmt::format("connect to {}: {}", socket_path, std::strerror(errno)));
  }
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(other.fd_),
      timeout_ms_(other.timeout_ms_),
      in_(std::move(other.in_)),
      at_(other.at_),
      welcome_(std::move(other.welcome_)) {
  other.fd_ = -1;
}

RawClient::~RawClient() { Close(); }

RawClient RawClient::Login(int port, std::string_view user, std::string_view database) {
  RawClient client(port);
  client.Send(fe::Startup({{"user", std::string(user)}, {"database", std::string(database)}}));
  client.welcome_ = client.ReadUntilReady();
  return client;
}

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) Fail(fmt::format("send: {}", std::strerror(errno)));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void RawClient::SendSlowly(std::string_view bytes) {
  for (char byte : bytes) {
    Send({&byte, 1});
    ::usleep(200);
  }
}

size_t RawClient::SendSome(std::string_view bytes) {
  ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

bool RawClient::WaitReadable(int timeout_ms) {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, timeout_ms) > 0;
}

bool RawClient::Fill() {
  if (!WaitReadable(timeout_ms_)) Fail("no answer in time");
  if (at_ > 0 && at_ == in_.size()) {
    in_.clear();
    at_ = 0;
  }
  char buffer[65536];
  ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  in_.append(buffer, static_cast<size_t>(got));
  return true;
}

char RawClient::ReadByte() {
  if (at_ == in_.size() && !Fill()) Fail("closed where a byte was expected");
  return in_[at_++];
}

Message RawClient::Read() {
  while (in_.size() - at_ < 5) {
    if (!Fill())
      Fail(fmt::format("closed where a message was expected ({} bytes of it came)",
                       in_.size() - at_));
  }
  uint32_t length = 0;
  for (size_t i = 1; i <= 4; ++i) length = length << 8 | static_cast<uint8_t>(in_[at_ + i]);
  if (length < 4 || length > (1u << 30)) Fail(fmt::format("length {} in a message", length));
  Message message{.type = in_[at_], .body = {}};
  at_ += 5;
  while (in_.size() - at_ < length - 4) {
    if (!Fill()) Fail("closed within a message");
  }
  message.body = in_.substr(at_, length - 4);
  at_ += length - 4;
  return message;
}

Message RawClient::Expect(char type) {
  Message message = Read();
  if (message.type == type) return message;
  Fail(fmt::format("'{}' came where '{}' was expected: {} {}", message.type, type,
                   message.type == 'E' ? Field(message, 'C') : "",
                   message.type == 'E' ? Field(message, 'M') : ""));
}

std::vector<Message> RawClient::ReadUntil(char type) {
  std::vector<Message> messages;
  do {
    messages.push_back(Read());
    bool fatal = messages.back().type == 'E' && Field(messages.back(), 'V') == "FATAL";
    if (fatal && type != 'E')
      Fail("FATAL " + Field(messages.back(), 'C') + " " + Field(messages.back(), 'M'));
  } while (messages.back().type != type);
  return messages;
}

std::vector<Message> RawClient::Query(std::string_view sql) {
  Send(fe::Query(sql));
  return ReadUntilReady();
}

bool RawClient::Silent(int for_ms) { return at_ == in_.size() && !WaitReadable(for_ms); }

bool RawClient::ClosedByPeer() {
  if (at_ != in_.size() || !WaitReadable(timeout_ms_)) return false;
  char byte;
  return ::recv(fd_, &byte, 1, 0) <= 0;
}

void RawClient::HalfClose() { ::shutdown(fd_, SHUT_WR); }

void RawClient::Reset() {
  linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  Close();
}

void RawClient::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace pgweir::test
