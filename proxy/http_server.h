#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "config/config.h"

namespace pgweir::proxy {

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
};

// A small HTTP/1.1 server for what operators' tools ask (Boost.Beast): GET and HEAD, a few
// connections, bounded requests. All of it on the thread of its io_context, which also calls
// `answer`.
class HttpServer {
 public:
  using Answer = std::function<HttpAnswer(std::string_view path)>;

  static constexpr int kMaxConnections = 32;  // more are closed at once
  static constexpr size_t kMaxHeader = 8192;

  HttpServer(boost::asio::io_context& io, Answer answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Whether it speaks TLS, and what it asks to be shown but for /health and /ready. Reads the files
  // anew; for connections from now on. An error leaves everything as it was.
  Status Protect(const config::Admin& admin);

  // "address:port" or "[address]:port", as the configuration has checked it. `shared`: with other
  // processes that listen there, too, such as the one that this one takes over from.
  Status Open(const std::string& address, bool shared);

 private:
  struct State;
  template <class Stream>
  class Connection;
  void Accept();
  void Welcome(boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;  // while the system has no room for another connection
  std::shared_ptr<State> state_;     // of the connections, too, which may end later
};

}  // namespace pgweir::proxy
