// pgweir_echo: a server that gives every statement the same row, from memory, without looking at
// it: what a cache can't be faster than. One thread, epoll.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "bench/relay/sockets.h"

namespace pgweir::bench {
namespace {

using namespace std::string_view_literals;

constexpr auto kWelcome = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"sv;
constexpr auto kParsed = "1\0\0\0\x04"sv;
constexpr auto kBound = "2\0\0\0\x04"sv;
constexpr auto kColumns =
    "T\0\0\0\x1e\0\x01price\0\0\0\x40\0\0\x02\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"sv;
constexpr auto kRow =
    "D\0\0\0\x0f\0\x01\0\0\0\x05"
    "12345"
    "C\0\0\0\x0dSELECT 1\0"sv;
constexpr auto kReady = "Z\0\0\0\x05I"sv;

uint32_t LengthAt(std::string_view bytes) {
  uint32_t length = 0;
  for (const char byte : bytes.substr(0, 4)) length = length << 8 | static_cast<uint8_t>(byte);
  return length;
}

struct Client {
  std::string in;
  bool welcome = false;
};

// Takes the whole messages out of what came. False when the client has taken its leave.
bool Answer(Client& client, std::string& out) {
  std::string_view in = client.in;
  while (true) {
    const size_t head = client.welcome ? 1 : 0;
    if (in.size() < head + 4) break;
    const size_t size = head + LengthAt(in.substr(head));
    if (in.size() < size) break;
    const char type = client.welcome ? in[0] : 'W';
    in.remove_prefix(size);
    switch (type) {
      case 'W':
        // Not encrypted: it asks again without.
        client.welcome = size != 8;
        out += client.welcome ? kWelcome : "N"sv;
        break;
      case 'Q':
        out.append(kColumns).append(kRow).append(kReady);
        break;
      case 'P':
        out += kParsed;
        break;
      case 'B':
        out += kBound;
        break;
      case 'D':
        out += kColumns;
        break;
      case 'E':
        out += kRow;
        break;
      case 'S':
        out += kReady;
        break;
      case 'X':
        return false;
      default:
        break;
    }
  }
  client.in.erase(0, client.in.size() - in.size());
  return true;
}

void Run(uint16_t port) {
  const int listener = ListenOn(port);
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [poll](int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  std::map<int, Client> clients;
  std::array<char, 64 * 1024> buffer{};
  std::array<epoll_event, 128> events{};
  std::string out;
  while (true) {
    const int count = epoll_wait(poll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener) {
        const int fresh = AcceptClient(listener);
        if (fresh < 0) continue;
        clients[fresh] = {};
        watch(fresh);
        continue;
      }
      Client& client = clients[fd];
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) continue;
      out.clear();
      if (got > 0) client.in.append(buffer.data(), static_cast<size_t>(got));
      const bool stays = got > 0 && Answer(client, out);
      // Small enough for any socket's buffer: who asks waits for the answer.
      if (!stays || send(fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) {
        close(fd);
        clients.erase(fd);
      }
    }
  }
}

}  // namespace
}  // namespace pgweir::bench

int main(int count, char** arguments) {
  const int port = count == 2 ? std::atoi(arguments[1]) : 0;
  if (port <= 0 || port > 65535) {
    std::fputs("usage: pgweir_echo PORT\n", stderr);
    return 2;
  }
  pgweir::bench::Run(static_cast<uint16_t>(port));
}
