#include "tests/support/refusing_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <tuple>

#include "tests/support/loopback.h"

namespace pgweir::test {

RefusingServer::RefusingServer(std::string answer) : answer_(std::move(answer)) {
  std::tie(listener_, port_) = ListenOnLoopback("the refusing server");
  thread_ = std::thread([this] { Run(); });
}

RefusingServer::~RefusingServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void RefusingServer::Run() {
  for (int fd = 0; (fd = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(fd)) {
    char packet[1024];
    if (::recv(fd, packet, sizeof packet, 0) <= 0) continue;
    ++asked_;
    ::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
  }
}

}  // namespace pgweir::test
