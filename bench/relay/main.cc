// A bare two-way TCP relay that parses nothing, with one of several ways of learning readiness:
// what is the least that a proxied query costs, and what does each way add to it?
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/relay/loops.h"
#include "bench/relay/sockets.h"

namespace {

constexpr char kUsage[] =
    "usage: pgweir_relay [--reactor NAME] --port PORT --server ADDRESS:PORT\n"
    "Relays 127.0.0.1:PORT to the server, in one thread, until it is killed.\n"
    "  --reactor epoll      an edge-triggered epoll alone (default)\n"
    "            asio       Asio's reactor, async_read_some\n"
    "            asio-wait  Asio's reactor, async_wait and a non-blocking read\n"
    "            nested     an edge-triggered epoll inside an io_context\n"
    "            hot        the same, staying with the epoll while there is work\n"
    "            hot-tick   the same, with a timer in the epoll instead of timeouts\n";

struct Reactor {
  std::string_view name;
  void (*run)(uint16_t port, const sockaddr_in& server);
};

constexpr Reactor kReactors[] = {
    {"epoll", pgweir::bench::RunEpoll},
    {"asio", pgweir::bench::RunAsio},
    {"asio-wait", pgweir::bench::RunAsioWait},
    {"nested", pgweir::bench::RunNested},
    {"hot", pgweir::bench::RunHot},
    {"hot-tick", pgweir::bench::RunHotTick},
};

[[noreturn]] void Usage(int code) {
  std::fputs(kUsage, code == 0 ? stdout : stderr);
  std::exit(code);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view reactor = "epoll";
  int port = 0;
  std::string server;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--help") Usage(0);
    if (i + 1 == argc) Usage(2);
    if (option == "--reactor") {
      reactor = argv[i + 1];
    } else if (option == "--port") {
      port = std::atoi(argv[i + 1]);
    } else if (option == "--server") {
      server = argv[i + 1];
    } else {
      Usage(2);
    }
  }
  if (port <= 0 || port > 65535 || server.empty()) Usage(2);
  for (const Reactor& each : kReactors) {
    if (each.name != reactor) continue;
    each.run(static_cast<uint16_t>(port), pgweir::bench::ParseAddress(server));
    return 0;
  }
  Usage(2);
}
