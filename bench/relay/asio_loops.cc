#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include "bench/relay/loops.h"
#include "bench/relay/sockets.h"

namespace pgweir::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
// The concrete executor spares Asio a type-erased one in each operation.
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable_t<Executor>());

constexpr size_t kBufferSize = 64 * 1024;

struct Session {
  Session(asio::io_context& io, int client_fd, int server_fd)
      : client(io, tcp::v4(), client_fd), server(io, tcp::v4(), server_fd) {}
  Socket client;
  Socket server;
};
using SessionPtr = std::shared_ptr<Session>;

Task<bool> WriteAll(Socket& to, asio::const_buffer left) {
  while (left.size() > 0) {
    auto [error, sent] = co_await to.async_write_some(left, kAwait);
    if (error) co_return false;
    left += sent;
  }
  co_return true;
}

void EndStream(Socket& to) {
  boost::system::error_code ignored;
  to.shutdown(Socket::shutdown_send, ignored);
}

// Asio reads before the coroutine runs again, perhaps for several sockets, so that each direction
// needs a buffer of its own. `session` keeps both sockets.
Task<void> CopyByReading(SessionPtr session, Socket& from, Socket& to) {
  std::vector<std::byte> buffer(kBufferSize);
  for (;;) {
    auto [error, got] = co_await from.async_read_some(asio::buffer(buffer), kAwait);
    if (error) break;
    // Written out here rather than awaited as a child: one coroutine frame less a message.
    asio::const_buffer left(buffer.data(), got);
    auto [write_error, sent] = co_await to.async_write_some(left, kAwait);
    if (write_error) break;
    left += sent;
    if (left.size() > 0 && !co_await WriteAll(to, left)) break;
  }
  EndStream(to);
}

Task<void> CopyByWaiting(SessionPtr session, Socket& from, Socket& to) {
  // Filled and emptied between two suspensions, except for what a blocked write leaves.
  static std::array<std::byte, kBufferSize> scratch;
  for (;;) {
    auto [error] = co_await from.async_wait(Socket::wait_read, kAwait);
    if (error) break;
    const ssize_t got = recv(from.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) break;
    if (got < 0) continue;
    ssize_t sent = send(to.native_handle(), scratch.data(), got, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) break;
    if (sent < 0) sent = 0;
    if (sent == got) continue;
    const std::vector<std::byte> rest(scratch.begin() + sent, scratch.begin() + got);
    if (!co_await WriteAll(to, asio::buffer(rest))) break;
  }
  EndStream(to);
}

template <typename Copy>
Task<void> Accept(asio::io_context& io, int listener_fd, sockaddr_in server, Copy copy) {
  Acceptor listener(io, tcp::v4(), listener_fd);
  for (;;) {
    auto [error] = co_await listener.async_wait(Acceptor::wait_read, kAwait);
    if (error) co_return;
    const int client_fd = AcceptClient(listener_fd);
    if (client_fd < 0) continue;
    const int server_fd = ConnectTo(server);
    if (server_fd < 0) {
      Socket refused(io, tcp::v4(), client_fd);
      continue;
    }
    auto session = std::make_shared<Session>(io, client_fd, server_fd);
    session->client.native_non_blocking(true);
    session->server.native_non_blocking(true);
    asio::co_spawn(io, copy(session, session->client, session->server), asio::detached);
    asio::co_spawn(io, copy(session, session->server, session->client), asio::detached);
  }
}

template <typename Copy>
void Run(uint16_t port, const sockaddr_in& server, Copy copy) {
  asio::io_context io(1);
  asio::co_spawn(io, Accept(io, ListenOn(port), server, copy), asio::detached);
  io.run();
}

}  // namespace

void RunAsio(uint16_t port, const sockaddr_in& server) { Run(port, server, CopyByReading); }

void RunAsioWait(uint16_t port, const sockaddr_in& server) { Run(port, server, CopyByWaiting); }

}  // namespace pgweir::bench
